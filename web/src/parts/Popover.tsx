// A box that floats beside what opened it: in the top layer, closed by a click outside or Escape (the browser's
// own popover), kept inside the window, focus given in and given back.

import { useEffect, useId, useLayoutEffect, useRef, useState, type ReactNode } from 'react'
import './popover.css'

type Trigger = {
  ref: React.RefObject<HTMLButtonElement | null>
  'aria-expanded': boolean
  'aria-haspopup': 'menu' | 'dialog' | 'listbox'
  'aria-controls': string
  onClick: () => void
}
type Props = {
  trigger: (props: Trigger) => ReactNode
  label: string
  role?: 'menu' | 'dialog'
  align?: 'start' | 'end'
  children: (close: () => void) => ReactNode
}

export function Popover({ trigger, label, role = 'dialog', align = 'start', children }: Props) {
  const [open, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const box = useRef<HTMLDivElement>(null)
  const id = useId()

  useLayoutEffect(() => {
    const [anchor, element] = [button.current, box.current]
    if (!open || !anchor || !element) return
    element.showPopover()
    const place = () => {
      const at = anchor.getBoundingClientRect()
      const [width, height] = [element.offsetWidth, element.offsetHeight]
      const wanted = align === 'start' ? at.left : at.right - width
      const below = at.bottom + 6
      element.style.left = `${Math.max(8, Math.min(wanted, innerWidth - width - 8))}px`
      element.style.top = `${below + height < innerHeight - 8 ? below : Math.max(8, Math.min(at.top - height - 6, innerHeight - height - 8))}px`
    }
    place()
    const observer = new ResizeObserver(place)
    observer.observe(element)
    addEventListener('resize', place)
    addEventListener('scroll', place, true)
    element
      .querySelector<HTMLElement>('[autofocus], input, [role=menuitem], [role=menuitemradio], button, a')
      ?.focus({ preventScroll: true })
    return () => {
      observer.disconnect()
      removeEventListener('resize', place)
      removeEventListener('scroll', place, true)
    }
  }, [open, align])

  useEffect(() => {
    const element = box.current
    if (!open || !element) return
    const onToggle = (event: Event) => {
      if ((event as ToggleEvent).newState === 'closed') setOpen(false)
    }
    element.addEventListener('toggle', onToggle)
    return () => element.removeEventListener('toggle', onToggle)
  }, [open])

  const close = () => {
    setOpen(false)
    button.current?.focus({ preventScroll: true })
  }
  return (
    <>
      {trigger({
        ref: button,
        'aria-expanded': open,
        'aria-haspopup': role,
        'aria-controls': id,
        onClick: () => setOpen(!open),
      })}
      {open && (
        <div
          ref={box}
          id={id}
          popover="auto"
          role={role}
          aria-label={label}
          className="popover"
          onKeyDown={(event) => {
            if (event.key === 'Escape') {
              event.stopPropagation()
              close()
            }
            if (role === 'menu') moveInMenu(event, close)
          }}
        >
          {children(close)}
        </div>
      )}
    </>
  )
}

function moveInMenu(event: React.KeyboardEvent<HTMLDivElement>, close: () => void): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[role^=menuitem]:not([disabled])')]
  const at = items.indexOf(document.activeElement as HTMLElement)
  const to = {
    ArrowDown: (at + 1) % items.length,
    ArrowUp: (at - 1 + items.length) % items.length,
    Home: 0,
    End: items.length - 1,
  }[event.key]
  if (to !== undefined) {
    event.preventDefault()
    items[to]?.focus()
  } else if (event.key === 'Tab') close()
}

type ItemProps = {
  onSelect: () => void
  icon?: ReactNode
  children: ReactNode
  hint?: ReactNode
  checked?: boolean
  danger?: boolean
  disabled?: boolean
}
export function MenuItem({ onSelect, icon, children, hint, checked, danger, disabled }: ItemProps) {
  return (
    <button
      type="button"
      role={checked === undefined ? 'menuitem' : 'menuitemradio'}
      aria-checked={checked}
      disabled={disabled}
      className={danger ? 'menu-item danger' : 'menu-item'}
      onClick={onSelect}
    >
      <span className="menu-icon">{icon}</span>
      <span className="cut">{children}</span>
      {hint && <span className="menu-hint">{hint}</span>}
    </button>
  )
}
export const MenuLine = () => <hr className="menu-line" />
export const MenuLabel = ({ children }: { children: ReactNode }) => <div className="menu-label">{children}</div>
