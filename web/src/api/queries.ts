// What pages ask, each under a key whose first word is its topic, so that an event can say what is out of date.

import { QueryClient, infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import type { FilterValues, Privilege, SentTo } from '../../../src/contract/index.ts'
import { CallFailed, call } from './call.ts'

export type AuditFilters = Pick<
  NonNullable<SentTo<'GET /api/audit'>['query']>,
  'principal' | 'verdict' | 'door' | 'text' | 'from'
>

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false, // events say what changed
      retry: (count, error) => count < 2 && error instanceof CallFailed && (error.status === 0 || error.status === 503),
    },
  },
})

export const queries = {
  session: () =>
    queryOptions({
      queryKey: ['session'],
      queryFn: ({ signal }) => call('GET /api/session', { signal }),
      staleTime: 300_000,
    }),
  home: () => queryOptions({ queryKey: ['home'], queryFn: ({ signal }) => call('GET /api/home', { signal }) }),
  dashboards: () =>
    queryOptions({ queryKey: ['dashboards'], queryFn: ({ signal }) => call('GET /api/dashboards', { signal }) }),
  dashboard: (name: string) =>
    queryOptions({
      queryKey: ['dashboard', name],
      queryFn: ({ signal }) => call('GET /api/dashboards/:name', { params: { name }, signal }),
    }),
  data: (name: string, revision: string | undefined, filters: FilterValues, asOf: string | null) =>
    queryOptions({
      queryKey: ['data', name, { filters, asOf, revision }],
      queryFn: ({ signal }) =>
        call('POST /api/dashboards/:name/data', {
          params: { name },
          body: { filters, ...(asOf ? { asOf } : {}) },
          signal,
        }),
      placeholderData: (previous, query) => (query?.queryKey[1] === name ? previous : undefined), // the old picture stays, dimmed
      enabled: revision !== undefined,
    }),
  values: (name: string, id: string, search: string, asOf: string | null) =>
    queryOptions({
      queryKey: ['values', name, id, { search, asOf }],
      queryFn: ({ signal }) =>
        call('GET /api/dashboards/:name/filters/:id/values', {
          params: { name, id },
          query: { ...(search ? { search } : {}), ...(asOf ? { asOf } : {}) },
          signal,
        }),
      placeholderData: keepPreviousData,
    }),
  models: () => queryOptions({ queryKey: ['models'], queryFn: ({ signal }) => call('GET /api/models', { signal }) }),
  model: (id: string) =>
    queryOptions({
      queryKey: ['models', id],
      queryFn: ({ signal }) => call('GET /api/models/:id', { params: { id }, signal }),
    }),
  catalog: () => queryOptions({ queryKey: ['catalog'], queryFn: ({ signal }) => call('GET /api/catalog', { signal }) }),
  table: (namespace: string, name: string) =>
    queryOptions({
      queryKey: ['table', namespace, name],
      queryFn: ({ signal }) => call('GET /api/tables/:namespace/:name', { params: { namespace, name }, signal }),
    }),
  preview: (namespace: string, name: string, snapshot: string | null) =>
    queryOptions({
      queryKey: ['preview', namespace, name, snapshot],
      queryFn: ({ signal }) =>
        call('GET /api/tables/:namespace/:name/preview', {
          params: { namespace, name },
          query: { ...(snapshot ? { snapshot } : {}), limit: 200 },
          signal,
        }),
      placeholderData: (previous, query) =>
        query?.queryKey[1] === namespace && query?.queryKey[2] === name ? previous : undefined,
    }),
  runs: (limit: number) =>
    queryOptions({
      queryKey: ['runs', limit],
      queryFn: ({ signal }) => call('GET /api/runs', { query: { limit }, signal }),
      placeholderData: keepPreviousData,
    }),
  run: (id: string) =>
    queryOptions({
      queryKey: ['run', id],
      queryFn: ({ signal }) => call('GET /api/runs/:id', { params: { id }, signal }),
    }),
  publications: () =>
    queryOptions({
      queryKey: ['publications'],
      queryFn: ({ signal }) => call('GET /api/publications', { query: { limit: 50 }, signal }),
    }),
  schedules: () =>
    queryOptions({ queryKey: ['schedules'], queryFn: ({ signal }) => call('GET /api/schedules', { signal }) }),
  connect: () => queryOptions({ queryKey: ['connect'], queryFn: ({ signal }) => call('GET /api/connect', { signal }) }),
  access: () => queryOptions({ queryKey: ['access'], queryFn: ({ signal }) => call('GET /api/access', { signal }) }),
  accessCheck: (user: string, table: string, action: Privilege) =>
    queryOptions({
      queryKey: ['access', 'check', user, table, action],
      queryFn: ({ signal }) => call('GET /api/access/check', { query: { user, table, action }, signal }),
      placeholderData: keepPreviousData,
    }),
  audit: (filters: AuditFilters) =>
    infiniteQueryOptions({
      queryKey: ['audit', filters],
      queryFn: ({ pageParam, signal }) =>
        call('GET /api/audit', { query: { ...filters, ...(pageParam ? { before: pageParam } : {}) }, signal }),
      initialPageParam: null as string | null,
      getNextPageParam: ({ next }) => next,
      placeholderData: keepPreviousData,
    }),
  users: () => queryOptions({ queryKey: ['users'], queryFn: ({ signal }) => call('GET /api/users', { signal }) }),
}

/** Marks topics as out of date; what is on screen is asked again at once, in place. */
export function refresh(...topics: string[]): void {
  for (const topic of topics) void askAgain([topic])
}

/** A first fetch that is under way would swallow the invalidation and show what was true before: it starts over. */
async function askAgain(queryKey: string[]): Promise<void> {
  await client.cancelQueries({
    queryKey,
    predicate: ({ state }) => state.data === undefined && state.fetchStatus === 'fetching',
  })
  await client.invalidateQueries({ queryKey })
}
