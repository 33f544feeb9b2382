export * from './schemas.ts'
export { openapi } from './openapi.ts'
export { csrfHeader, routes, splitRoute } from './routes.ts'
export type { Answered, Method, Received, Route, RouteKey, Routes, SentTo } from './routes.ts'
