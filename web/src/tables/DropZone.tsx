import { useEffect, useState } from 'react'

/** A file may be dropped anywhere on the page; while one is dragged over it, the page says so. */
export function DropZone({ onFile }: { onFile: (file: File) => void }) {
  const [over, setOver] = useState(false)
  useEffect(() => {
    let depth = 0 // enter and leave come for every element below the pointer
    const isFile = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
    const enter = (event: DragEvent) => {
      if (!isFile(event)) return
      depth++
      setOver(true)
    }
    const leave = (event: DragEvent) => {
      if (isFile(event) && --depth <= 0) {
        depth = 0
        setOver(false)
      }
    }
    const move = (event: DragEvent) => {
      if (isFile(event)) event.preventDefault()
    }
    const drop = (event: DragEvent) => {
      if (!isFile(event)) return
      event.preventDefault()
      depth = 0
      setOver(false)
      const file = event.dataTransfer?.files[0]
      if (file) onFile(file)
    }
    const handlers = { dragenter: enter, dragleave: leave, dragover: move, drop } as const
    for (const [name, handler] of Object.entries(handlers)) addEventListener(name, handler as EventListener)
    return () => {
      for (const [name, handler] of Object.entries(handlers)) removeEventListener(name, handler as EventListener)
    }
  }, [onFile])
  return over ? <div className="drop-zone">Drop the CSV to load it as a table</div> : null
}
