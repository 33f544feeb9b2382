/** A dispatcher: `dateadd(a, b)` finds `duckdb__dateadd` or `default__dateadd`, in the project first. */
export function dispatched(name: string, parameters = ''): string {
  const names = Array.from(parameters.matchAll(/(?:^|, )([a-z_]\w*)/g), ([, each]) => each).join(', ')
  return `{% macro ${name}(${parameters}) -%}{{ return(adapter.dispatch('${name}', 'dbt')(${names})) }}{%- endmacro %}\n`
}

/** Several of them, each as `name(parameters)`. */
export const dispatchers = (...signatures: string[]): string =>
  signatures
    .map((signature) => {
      const [, name, parameters] = /^(\w+)\((.*)\)$/.exec(signature)!
      return dispatched(name!, parameters)
    })
    .join('')
