/** The dbt-core that this command line is like. */
export const dbtLike = '1.12.6'
