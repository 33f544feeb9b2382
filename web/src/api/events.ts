// The server says what changed; what is on screen is asked again in place.
//
// Browsers allow six HTTP/1.1 connections to one server over all tabs, and an event stream holds one of them. So a
// hidden tab closes its stream; when it is looked at again the stream opens anew, and its hello means: you may have
// missed something.

import { useEffect } from 'react'
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

export function useEventStream(): void {
  useEffect(() => {
    let source: EventSource | undefined
    let greeted = false
    let retry: ReturnType<typeof setTimeout> | undefined
    const open = () => {
      source = new EventSource('/api/events')
      source.onmessage = ({ data }: MessageEvent<string>) => {
        const event = JSON.parse(data) as Event
        if (event.kind !== 'hello' || greeted) refresh(...topicsOf(event))
        if (event.kind === 'hello') greeted = true
      }
      source.onerror = () => {
        // The browser tries again by itself, except after an answer that is not a stream.
        if (source?.readyState === EventSource.CLOSED && !document.hidden) retry = setTimeout(open, 5_000)
      }
    }
    const onVisibility = () => {
      source?.close()
      clearTimeout(retry)
      if (!document.hidden) open()
    }
    if (!document.hidden) open()
    document.addEventListener('visibilitychange', onVisibility)
    return () => {
      source?.close()
      clearTimeout(retry)
      document.removeEventListener('visibilitychange', onVisibility)
    }
  }, [])
}
