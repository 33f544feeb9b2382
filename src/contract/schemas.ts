// Every schema that has a name in the printed description. A route may only use schemas that stand here.

export * from './access.ts'
export * from './catalog.ts'
export * from './common.ts'
export * from './dashboard.ts'
export * from './events.ts'
export * from './home.ts'
export * from './models.ts'
export * from './query.ts'
export * from './runs.ts'
export * from './session.ts'
