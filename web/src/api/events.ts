// The server says what changed; what is on screen is asked again in place.
//
// Browsers allow six HTTP/1.1 connections to one server over all tabs, and an event stream holds one of them. So a
// hidden tab closes its stream; when it is looked at again the stream opens anew, and its hello means: you may have
// missed something.

import { useEffect, useState } from 'react'
import type { Event } from '../../../src/contract/index.ts'
import { refresh } from './queries.ts'

/** Which topics an event makes out of date. Pure. */
export function topicsOf(event: Event): string[] {
  switch (event.kind) {
    case 'hello':
      return [
        'home',
        'dashboards',
        'dashboard',
        'data',
        'catalog',
        'table',
        'preview',
        'runs',
        'run',
        'publications',
        'schedules',
      ]
    case 'dashboard':
      return ['dashboard', 'dashboards', 'home']
    case 'published':
      return ['data', 'values', 'catalog', 'table', 'preview', 'publications', 'home', 'dashboards']
    case 'run':
      return ['runs', 'run', 'home', 'schedules']
    case 'project':
      return ['home', 'dashboards', 'schedules']
  }
}

/** A stream that ends is opened again in a moment: a restart, a proxy. Only then is it worth a word. */
const patienceMs = 2_000

/** Listens; answers whether the server is known not to answer. */
export function useEventStream(): boolean {
  const [isLost, setLost] = useState(false)
  useEffect(() => {
    let source: EventSource | undefined
    let greeted = false
    let retry: ReturnType<typeof setTimeout> | undefined
    let asking: ReturnType<typeof setTimeout> | undefined
    /** A stream may be refused by a server that is well: to somebody whose session has ended. */
    const ask = async () => {
      const isWell = await fetch('/healthz').then(
        ({ status }) => status < 500,
        () => false,
      )
      if (asking === undefined) return
      asking = undefined
      setLost(!isWell)
    }
    const rest = () => {
      clearTimeout(asking)
      asking = undefined
    }
    const open = () => {
      source = new EventSource('/api/events')
      source.onopen = () => {
        rest()
        setLost(false)
      }
      source.onmessage = ({ data }: MessageEvent<string>) => {
        const event = JSON.parse(data) as Event
        if (event.kind !== 'hello' || greeted) refresh(...topicsOf(event))
        if (event.kind === 'hello') greeted = true
      }
      source.onerror = () => {
        asking ??= setTimeout(() => void ask(), patienceMs)
        // The browser tries again by itself, except after an answer that is not a stream.
        if (source?.readyState === EventSource.CLOSED && !document.hidden) retry = setTimeout(open, 5_000)
      }
    }
    const onVisibility = () => {
      source?.close()
      clearTimeout(retry)
      rest()
      if (!document.hidden) open()
    }
    if (!document.hidden) open()
    document.addEventListener('visibilitychange', onVisibility)
    return () => {
      source?.close()
      clearTimeout(retry)
      rest()
      document.removeEventListener('visibilitychange', onVisibility)
    }
  }, [])
  return isLost
}
