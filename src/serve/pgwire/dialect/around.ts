// What stands before and behind an argument that stays where it was written, so that places in errors are its own.

export type Around = { before: string; after: string }

/** SQL of a value that is used several times, there called `bh_v`, and written once. */
export const around = (sql: string): Around => ({ before: 'list_transform([', after: `], lambda bh_v: ${sql})[1]` })
