// Is this request meant for us, and did a page of ours send it? Pure.
//
// A page of another site can make a browser send requests here: with our address (then `Origin` and `Sec-Fetch-Site`
// tell), or with its own name after pointing that name at this machine (DNS rebinding: then `Host` tells). A name that
// only this machine answers to is expected when we listen on loopback alone.

import { isIP } from 'node:net'

export type Listening = { host: string; publicUrl?: string | undefined }

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)

/** Whether the Host header names us. Listening on a network, every name may lead here. */
export function hostIsOurs(header: string | undefined, { host, publicUrl }: Listening): boolean {
  const name = hostName(header)
  if (name === undefined) return false
  if (!isLoopback(host)) return true
  return isLoopback(name) || name === host || (publicUrl !== undefined && name === hostName(new URL(publicUrl).host))
}

/** `example.com` of `Example.com:8620`, `::1` of `[::1]:8620`; undefined when it is no host. */
export function hostName(header: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(header ?? '')
  if (!match) return undefined
  if (match[1] !== undefined) return isIP(match[1]) === 6 ? match[1].toLowerCase() : undefined
  return match[2]!.toLowerCase().replace(/\.$/, '')
}

type Sent = { host: string | undefined; origin: string | undefined; secFetchSite: string | undefined }

/** Why a request that changes something is not accepted; undefined when a page of ours, or no browser, sent it. */
export function foreignOrigin({ host, origin, secFetchSite }: Sent, { publicUrl }: Listening): string | undefined {
  if (secFetchSite !== undefined && secFetchSite !== 'same-origin' && secFetchSite !== 'none')
    return `a page of another site sent it (${secFetchSite})`
  if (origin === undefined) return undefined
  const ours = [publicUrl, `http://${host}`, `https://${host}`]
  const same = ours.some((url) => url !== undefined && URL.canParse(url) && new URL(url).origin === origin)
  return same ? undefined : 'a page of another origin sent it'
}
