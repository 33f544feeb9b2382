// A syntax tree to the JavaScript source of one function.
//
// Names: Jinja decides at compile time which scope a name belongs to. The template, a loop body, a macro, a `with`
// and the body of a block each make a scope; `if` does not. A name assigned in a scope is a `let` there, which
// starts as what the enclosing scope sees, so closures (macros, callers) read the variables around them by
// reference. All other names are looked up in the context. No name of the template appears in the emitted code
// except inside a JSON string.
//
// Errors: `p` holds the offset of what is being evaluated. It is assigned as the last argument of a helper, after
// the operands have run, so one try/catch per function finds the place without cost in the good case.
//
// Lines: with `marks`, the body of the template itself (not of macros) records where in the output each of its
// pieces begins, so that an error in the rendered SQL can be shown in the template.

import { walkExpressions, type Arguments, type Expression, type Parameter, type Statement, type Target } from './ast.ts'
import { isWorkedOut } from './constant.ts'
import { filters } from './filters.ts'
import { predicates } from './predicates.ts'
import type { SourceMap } from './errors.ts'
import { Float, LargeInteger } from './values.ts'

/**
 * `module` is a macro file: its macros are exported and not visible to each other by name, because dbt lets every bare
 * name, a macro's own included, be answered by the project.
 */
export type EmitMode = 'text' | 'native' | 'module'

/** The helpers of runtime.ts that emitted code uses by name. */
export const helperNames = [
  'get',
  'call',
  'callMethod',
  'attribute',
  'item',
  'slice',
  'filter',
  'test',
  'str',
  'truth',
  'binary',
  'add',
  'compare',
  'equals',
  'contains',
  'negative',
  'positive',
  'concat',
  'iterate',
  'unpack',
  'assign',
  'loop',
  'nested',
  'macro',
  'caller',
  'tuple',
  'dict',
  'kwargs',
  'withStar',
  'withStarStar',
  'noElse',
  'notProvided',
  'Float',
  'missing',
] as const

/** dbt's filters that do nothing but where templates are rendered to values. */
const conversions = new Set(['as_bool', 'as_number', 'as_native', 'as_text'])

export function emit(statements: readonly Statement[], source: SourceMap, mode: EmitMode): string {
  return new Emitter(source, mode).template(statements)
}

class Scope {
  readonly names = new Map<string, string>()
  readonly parent: Scope | undefined
  constructor(parent: Scope | undefined) {
    this.parent = parent
  }
  find(name: string): string | undefined {
    return this.names.get(name) ?? this.parent?.find(name)
  }
}

/** One JavaScript function being emitted: its output variable, its temporaries. */
type Body = { out: string; temporaries: string[]; isMacro: boolean; marks: boolean; native: boolean }

class Emitter {
  readonly #source: SourceMap
  readonly #mode: EmitMode
  #count = 0
  /** Inside `if`, Jinja lets an unknown filter pass until it is reached. */
  #soft = 0

  constructor(source: SourceMap, mode: EmitMode) {
    this.#source = source
    this.#mode = mode
  }

  #fresh(prefix: string): string {
    return `${prefix}${this.#count++}`
  }

  template(statements: readonly Statement[]): string {
    const body: Body = {
      out: 'o',
      temporaries: [],
      isMacro: false,
      marks: this.#mode === 'text',
      native: this.#mode === 'native',
    }
    const scope = new Scope(undefined)
    const exported = this.#mode === 'module' ? statements.filter((each) => each.kind === 'macro') : []
    const declared = this.#declare(scope, assignedIn(statements.filter((each) => !exported.includes(each as never))))
    const code = this.#statements(statements, scope, body)
    return `const {${helperNames.join(', ')}} = H
return function (c, x, m) {
let p = 0, o = ${body.native ? '[]' : "''"}${temporaries(body)}
try {
${declared}${code}
} catch (e) { throw c.located(e, T, p) }
return o
}`
  }

  /** `let`s for the names a scope assigns, each starting as the enclosing scope's value. */
  #declare(scope: Scope, names: ReadonlySet<string>, except: ReadonlySet<string> = new Set()): string {
    let code = ''
    for (const name of names) {
      if (except.has(name)) continue
      const outer = this.#read(name, scope.parent)
      const variable = this.#fresh('v')
      scope.names.set(name, variable)
      code += `let ${variable} = ${outer};\n`
    }
    return code
  }

  #read(name: string, scope: Scope | undefined): string {
    return scope?.find(name) ?? `get(c, ${quote(name)})`
  }

  // --- statements

  #statements(statements: readonly Statement[], scope: Scope, body: Body): string {
    return statements.map((statement) => this.#statement(statement, scope, body)).join('')
  }

  #statement(statement: Statement, scope: Scope, body: Body): string {
    switch (statement.kind) {
      case 'text':
        return this.#write(body, quote(statement.text), statement.at, true)
      case 'output':
        return this.#output(statement.value, scope, body, statement.at)
      case 'do':
        return this.#do(statement.value, scope, body)
      case 'set':
        return this.#set(statement, scope, body)
      case 'set block':
        return this.#setBlock(statement, scope, body)
      case 'if':
        return this.#if(statement, scope, body)
      case 'for':
        return statement.isRecursive ? this.#recursive(statement, scope, body) : this.#for(statement, scope, body)
      case 'macro':
        return this.#macro(statement, scope)
      case 'call block':
        return this.#callBlock(statement, scope, body)
      case 'filter block':
        return this.#filterBlock(statement, scope, body)
      case 'with':
        return this.#with(statement, scope, body)
      case 'break':
        return 'break;\n'
      case 'continue':
        return 'continue;\n'
    }
  }

  #write(body: Body, value: string, at: number, isText: boolean): string {
    if (body.native) return `o.push(${value});\n`
    const mark = body.marks && body.out === 'o' ? `if (m) m.push(o.length, ${at}, ${isText ? 1 : 0});\n` : ''
    return `${mark}${body.out} += ${value};\n`
  }

  #output(value: Expression, scope: Scope, body: Body, at: number): string {
    const keepsType = body.native && !isWorkedOut(value)
    return (
      this.#returned(value, scope, body) ??
      this.#write(body, keepsType ? this.#native(value, scope, body) : this.#text(value, scope, body), at, false)
    )
  }

  /**
   * `as_bool` and its like say what a whole text becomes, so they convert only what comes out: deeper in an expression
   * they answer text, as in `{{ target.type == 'duckdb' | as_bool }}`, where the filter is the literal's.
   */
  #native(expression: Expression, scope: Scope, body: Body): string {
    const native = (each: Expression) => this.#native(each, scope, body)
    switch (expression.kind) {
      case 'conditional': {
        this.#soft++
        const test = this.#condition(expression.test, scope, body)
        const otherwise = expression.otherwise ? native(expression.otherwise) : `noElse(c, T, ${expression.at})`
        const code = `(${test} ? ${native(expression.value)} : ${otherwise})`
        this.#soft--
        return code
      }
      case 'and':
      case 'or': {
        const temporary = this.#temporary(body)
        const left = this.#value(expression.left, scope, body)
        const [decided, right] = [this.#converted(expression.left, temporary, scope, body), native(expression.right)]
        return expression.kind === 'and'
          ? `(truth(${temporary} = ${left}) ? ${right} : ${decided})`
          : `(truth(${temporary} = ${left}) ? ${decided} : ${right})`
      }
      case 'filter':
        if (conversions.has(expression.name) && expression.operand)
          return this.#converted(expression, this.#value(expression.operand, scope, body), scope, body)
        return this.#value(expression, scope, body)
      default:
        return this.#value(expression, scope, body)
    }
  }

  #converted(expression: Expression, value: string, scope: Scope, body: Body): string {
    if (expression.kind !== 'filter' || !conversions.has(expression.name)) return value
    return this.#filter(expression, value, scope, body)
  }

  #do(value: Expression, scope: Scope, body: Body): string {
    return this.#returned(value, scope, body) ?? `${this.#value(value, scope, body)};\n`
  }

  /** `return(x)` straight in a macro's body needs no unwinding. */
  #returned(value: Expression, scope: Scope, body: Body): string | undefined {
    if (!body.isMacro || value.kind !== 'call' || value.callee.kind !== 'name' || value.callee.name !== 'return') {
      return undefined
    }
    if (value.args.length !== 1 || value.kwargs.length + Number(!!value.star) + Number(!!value.starStar) > 0)
      return undefined
    if (scope.find('return')) return undefined
    return `if (c.returns) return ${this.#value(value.args[0]!, scope, body)};\n${this.#value(value, scope, body)};\n`
  }

  #set({ target, value }: Extract<Statement, { kind: 'set' }>, scope: Scope, body: Body): string {
    return this.#assign(target, this.#value(value, scope, body), scope)
  }

  #assign(target: Target, value: string, scope: Scope): string {
    switch (target.kind) {
      case 'name':
        return `${scope.find(target.name)!} = ${value};\n`
      case 'namespace': {
        return `assign(${this.#read(target.name, scope)}, ${quote(target.attribute)}, ${value}, p = ${target.at});\n`
      }
      case 'tuple': {
        const items = this.#fresh('t')
        const code = target.items.map((item, index) => this.#assign(item, `${items}[${index}]`, scope)).join('')
        return `{ const ${items} = unpack(${value}, ${target.items.length}, p = ${target.at});\n${code}}\n`
      }
    }
  }

  #setBlock(statement: Extract<Statement, { kind: 'set block' }>, scope: Scope, body: Body): string {
    const out = this.#fresh('o')
    const inner = this.#block(statement.body, scope, { ...body, out, native: false })
    const value = statement.filter ? this.#filterChain(statement.filter, out, scope, body) : out
    return `let ${out} = '';\n${inner}${this.#assign(statement.target, value, scope)}`
  }

  #filterBlock(statement: Extract<Statement, { kind: 'filter block' }>, scope: Scope, body: Body): string {
    const out = this.#fresh('o')
    const inner = this.#block(statement.body, scope, { ...body, out, native: false })
    const value = this.#filterChain(statement.filter, out, scope, body)
    return `let ${out} = '';\n${inner}${this.#write(body, body.native ? value : `str(${value})`, statement.at, false)}`
  }

  /** Statements in a scope of their own. */
  #block(statements: readonly Statement[], scope: Scope, body: Body): string {
    const inner = new Scope(scope)
    const declared = this.#declare(inner, assignedIn(statements))
    return `{\n${declared}${this.#statements(statements, inner, body)}}\n`
  }

  #with(statement: Extract<Statement, { kind: 'with' }>, scope: Scope, body: Body): string {
    const inner = new Scope(scope)
    // The values see the scope outside, so they are evaluated before any name is declared.
    const values = statement.values.map((value) => [this.#fresh('t'), this.#value(value, scope, body)] as const)
    const names = assignedIn(statement.body)
    for (const target of statement.targets) addTarget(target, names)
    const declared = this.#declare(inner, names)
    const assigned = statement.targets.map((target, index) => this.#assign(target, values[index]![0], inner)).join('')
    const evaluated = values.map(([name, value]) => `const ${name} = ${value};\n`).join('')
    return `{\n${evaluated}${declared}${assigned}${this.#statements(statement.body, inner, body)}}\n`
  }

  #if(statement: Extract<Statement, { kind: 'if' }>, scope: Scope, body: Body): string {
    let code = ''
    for (const [index, { test, body: then }] of statement.branches.entries()) {
      this.#soft++
      const condition = this.#condition(test, scope, body)
      code += `${index === 0 ? '' : ' else '}if (${condition}) {\n${this.#statements(then, scope, body)}}`
      this.#soft--
    }
    this.#soft++
    if (statement.otherwise) code += ` else {\n${this.#statements(statement.otherwise, scope, body)}}`
    this.#soft--
    return `${code}\n`
  }

  /** A loop that may run itself for the items inside of an item: a function of its items, which answers text. */
  #recursive(statement: Extract<Statement, { kind: 'for' }>, scope: Scope, body: Body): string {
    const [render, given, depth, out] = ['r', 'g', 'd', 'o'].map((prefix) => this.#fresh(prefix)) as [
      string,
      string,
      string,
      string,
    ]
    const inner = { ...body, out, isMacro: false, marks: false, native: false }
    const code = this.#for(statement, scope, inner, { given, again: `, ${render}, ${depth}` })
    const first = `${render}(${this.#value(statement.items, scope, body)}, 1)`
    return `{\nconst ${render} = (${given}, ${depth}) => nested(c, () => { let ${out} = '';\n${code}return ${out};\n});
${this.#write(body, first, statement.at, false)}}\n`
  }

  #for(
    statement: Extract<Statement, { kind: 'for' }>,
    scope: Scope,
    body: Body,
    recursive: { given: string; again: string } = { given: '', again: '' },
  ): string {
    const { target, test, otherwise } = statement
    const needsLoop = recursive.given !== '' || mentions(statement.body, 'loop')
    const [item, empty] = [this.#fresh('i'), this.#fresh('e')]
    const source = recursive.given || this.#value(statement.items, scope, body)
    let items = `iterate(${source}, p = ${statement.items.at})`
    let before = ''
    if (test && needsLoop) {
      const [kept, each] = [this.#fresh('k'), this.#fresh('i')]
      const filtering = new Scope(scope)
      const declared = this.#declare(filtering, targetNames(target))
      before = `const ${kept} = [];
for (const ${each} of ${items}) { c.tick();
${declared}${this.#assign(target, each, filtering)}if (${this.#condition(test, filtering, body)}) ${kept}.push(${each});
}\n`
      items = kept
    }
    const inner = new Scope(scope)
    const names = assignedIn(statement.body)
    addTarget(target, names)
    if (needsLoop) names.add('loop')
    const declared = this.#declare(inner, names)
    const assigned = this.#assign(target, item, inner)
    const skipping = test && !needsLoop ? `if (!(${this.#condition(test, inner, body)})) continue;\n` : ''
    let head = `for (const ${item} of ${items}) {\n`
    let looping = ''
    if (needsLoop) {
      const variable = this.#fresh('l')
      before += `const ${variable} = loop(${items}${recursive.again});\n`
      head = `for (const ${item} of ${variable}.walk()) {\n`
      looping = `${inner.find('loop')!} = ${variable};\n`
    }
    const statements = this.#statements(statement.body, inner, body)
    // Jinja marks the loop as run at the end of a round, so a `break` or `continue` in it does not count.
    const marked = otherwise.length > 0 ? `${empty} = false;\n` : ''
    let code = `${head}c.tick();\n${declared}${looping}${assigned}${skipping}${statements}${marked}}\n`
    if (otherwise.length > 0) {
      code = `let ${empty} = true;\n${code}if (${empty}) ${this.#block(otherwise, scope, body)}`
    }
    return `{\n${before}${code}}\n`
  }

  #macro(statement: Extract<Statement, { kind: 'macro' }>, scope: Scope): string {
    const code = this.#function(statement.name, statement.parameters, statement.body, scope, true)
    const flags = specialFlags(statement.body, statement.parameters)
    const names = statement.parameters.map(({ name }) => quote(name)).join(', ')
    const value = `macro(c, T, ${quote(statement.name)}, [${names}], ${flags}, ${code})`
    const isExported = this.#mode === 'module' && scope.parent === undefined
    return isExported ? `x.set(${quote(statement.name)}, ${value});\n` : `${scope.find(statement.name)!} = ${value};\n`
  }

  #callBlock(statement: Extract<Statement, { kind: 'call block' }>, scope: Scope, body: Body): string {
    const code = this.#function('caller', statement.parameters, statement.body, scope, false)
    const flags = specialFlags(statement.body, statement.parameters)
    const names = statement.parameters.map(({ name }) => quote(name)).join(', ')
    const caller = `caller(c, T, [${names}], ${flags}, ${code})`
    const value = this.#call(statement.call, scope, body, caller)
    return this.#write(body, body.native ? value : `str(${value})`, statement.at, false)
  }

  /** A macro's or caller's function: arguments by position, then what `varargs`, `kwargs` and `caller` name. */
  #function(
    name: string,
    parameters: readonly Parameter[],
    statements: readonly Statement[],
    scope: Scope,
    isMacro: boolean,
  ): string {
    const inner = new Scope(scope)
    const body: Body = { out: 'o', temporaries: [], isMacro, marks: false, native: false }
    let head = ''
    // One by one: a default sees the parameters before it, and the names outside.
    parameters.forEach(({ name, fallback, at }, index) => {
      const value = fallback ? this.#value(fallback, inner, body) : `notProvided(c, ${quote(name)}, p = ${at})`
      const variable = this.#fresh('v')
      inner.names.set(name, variable)
      head += `let ${variable} = a[${index}]; if (${variable} === missing) ${variable} = ${value};\n`
    })
    const special: [string, string][] = [
      ['varargs', 'w'],
      ['kwargs', 'k'],
      ['caller', 'f'],
    ]
    for (const [name, variable] of special) {
      if (inner.names.has(name) || !mentions(statements, name)) continue
      inner.names.set(name, variable)
    }
    const assigned = assignedIn(statements)
    const declared = this.#declare(inner, assigned, new Set(inner.names.keys()))
    const soft = this.#soft
    this.#soft = 0
    const code = this.#statements(statements, inner, body)
    this.#soft = soft
    return `function (a, w, k, f) {
let p = 0, o = ''${temporaries(body)}
try {
${head}${declared}${code}
} catch (e) { throw c.located(e, T, p, ${quote(name)}) }
return o
}`
  }

  // --- expressions

  #text(expression: Expression, scope: Scope, body: Body): string {
    if (expression.kind === 'literal' && typeof expression.value === 'string') return quote(expression.value)
    return `str(${this.#value(expression, scope, body)})`
  }

  /** As a JavaScript boolean. */
  #condition(expression: Expression, scope: Scope, body: Body): string {
    switch (expression.kind) {
      case 'and':
        return `(${this.#condition(expression.left, scope, body)} && ${this.#condition(expression.right, scope, body)})`
      case 'or':
        return `(${this.#condition(expression.left, scope, body)} || ${this.#condition(expression.right, scope, body)})`
      case 'not':
        return `!${this.#condition(expression.operand, scope, body)}`
      case 'compare':
        return this.#comparison(expression, scope, body)
      case 'test':
        return this.#test(expression, scope, body)
      default:
        return `truth(${this.#value(expression, scope, body)})`
    }
  }

  #value(expression: Expression, scope: Scope, body: Body): string {
    const value = (each: Expression) => this.#value(each, scope, body)
    switch (expression.kind) {
      case 'literal':
        return literal(expression.value)
      case 'name':
        return this.#read(expression.name, scope)
      case 'list':
        return `[${expression.items.map(value).join(', ')}]`
      case 'tuple':
        return `tuple([${expression.items.map(value).join(', ')}])`
      case 'dict':
        return `dict([${expression.pairs.flat().map(value).join(', ')}], p = ${expression.at})`
      case 'conditional': {
        this.#soft++
        const test = this.#condition(expression.test, scope, body)
        const otherwise = expression.otherwise ? value(expression.otherwise) : `noElse(c, T, ${expression.at})`
        const code = `(${test} ? ${value(expression.value)} : ${otherwise})`
        this.#soft--
        return code
      }
      case 'and':
      case 'or': {
        const temporary = this.#temporary(body)
        const [left, right] = [value(expression.left), value(expression.right)]
        return expression.kind === 'and'
          ? `(truth(${temporary} = ${left}) ? ${right} : ${temporary})`
          : `(truth(${temporary} = ${left}) ? ${temporary} : ${right})`
      }
      case 'not':
      case 'compare':
      case 'test':
        return this.#condition(expression, scope, body)
      case 'negative':
      case 'positive':
        return `${expression.kind}(${value(expression.operand)}, p = ${expression.at})`
      case 'binary':
        return this.#binary(expression, scope, body)
      case 'concat':
        return `concat([${expression.items.map(value).join(', ')}], p = ${expression.at})`
      case 'attribute': {
        return `attribute(c, ${value(expression.object)}, ${quote(expression.name)}, p = ${expression.at})`
      }
      case 'item':
        return `item(c, ${value(expression.object)}, ${value(expression.key)}, p = ${expression.at})`
      case 'slice': {
        const parts = [expression.start, expression.stop, expression.step].map((each) => (each ? value(each) : 'null'))
        return `slice(${parts.join(', ')})`
      }
      case 'call':
        return this.#call(expression, scope, body)
      case 'filter': {
        const operand = expression.operand ? value(expression.operand) : "''"
        if (this.#mode === 'native' && conversions.has(expression.name)) return `str(${operand})`
        return this.#filter(expression, operand, scope, body)
      }
    }
  }

  #temporary(body: Body): string {
    const name = this.#fresh('t')
    body.temporaries.push(name)
    return name
  }

  #binary(expression: Extract<Expression, { kind: 'binary' }>, scope: Scope, body: Body): string {
    const [left, right] = [this.#value(expression.left, scope, body), this.#value(expression.right, scope, body)]
    if (expression.operator === '+') return `add(${left}, ${right}, p = ${expression.at})`
    return `binary(${quote(expression.operator)}, ${left}, ${right}, p = ${expression.at})`
  }

  #comparison(expression: Extract<Expression, { kind: 'compare' }>, scope: Scope, body: Body): string {
    let left = this.#value(expression.first, scope, body)
    const parts = expression.rest.map(({ operator, operand }, index) => {
      let right = this.#value(operand, scope, body)
      const isLast = index === expression.rest.length - 1
      const temporary = isLast ? undefined : this.#temporary(body)
      if (temporary) right = `${temporary} = ${right}`
      const code = compared(operator, left, `${right}`, expression.at)
      if (temporary) left = temporary
      return code
    })
    return parts.length === 1 ? parts[0]! : `(${parts.join(' && ')})`
  }

  #test(expression: Extract<Expression, { kind: 'test' }>, scope: Scope, body: Body): string {
    if (!predicates.has(expression.name) && this.#soft === 0) {
      throw this.#source.invalid(`no test named "${expression.name}"`, expression.at)
    }
    const [args, kwargs] = this.#arguments(expression, scope, body)
    const operand = this.#value(expression.operand, scope, body)
    return `test(c, ${quote(expression.name)}, ${operand}, ${args}, ${kwargs}, p = ${expression.at})`
  }

  #filterChain(filter: Expression, operand: string, scope: Scope, body: Body): string {
    if (filter.kind !== 'filter') return operand
    const inner = filter.operand ? this.#filterChain(filter.operand, operand, scope, body) : operand
    return this.#filter(filter, inner, scope, body)
  }

  #filter(expression: Extract<Expression, { kind: 'filter' }>, operand: string, scope: Scope, body: Body): string {
    if (!filters.has(expression.name) && this.#soft === 0) {
      throw this.#source.invalid(`no filter named "${expression.name}"`, expression.at)
    }
    const [args, kwargs] = this.#arguments(expression, scope, body)
    return `filter(c, ${quote(expression.name)}, ${operand}, ${args}, ${kwargs}, p = ${expression.at})`
  }

  #call(expression: Extract<Expression, { kind: 'call' }>, scope: Scope, body: Body, caller?: string): string {
    const [args, kwargs] = this.#arguments(expression, scope, body, caller)
    const { callee } = expression
    if (callee.kind === 'attribute') {
      const object = this.#value(callee.object, scope, body)
      return `callMethod(c, ${object}, ${quote(callee.name)}, ${args}, ${kwargs}, p = ${callee.at})`
    }
    return `call(c, ${this.#value(callee, scope, body)}, ${args}, ${kwargs}, p = ${expression.at})`
  }

  #arguments(inputs: Arguments, scope: Scope, body: Body, caller?: string): [string, string] {
    let args = `[${inputs.args.map((each) => this.#value(each, scope, body)).join(', ')}]`
    const pairs = inputs.kwargs.map(({ name, value }) => `${quote(name)}, ${this.#value(value, scope, body)}`)
    if (caller) pairs.push(`"caller", ${caller}`)
    let kwargs = pairs.length === 0 ? 'kwargs()' : `kwargs(${pairs.join(', ')})`
    if (inputs.star) args = `withStar(${args}, ${this.#value(inputs.star, scope, body)}, p = ${inputs.star.at})`
    if (inputs.starStar) {
      kwargs = `withStarStar(${kwargs}, ${this.#value(inputs.starStar, scope, body)}, p = ${inputs.starStar.at})`
    }
    return [args, kwargs]
  }
}

function compared(operator: string, left: string, right: string, at: number): string {
  switch (operator) {
    case '==':
      return `equals(${left}, ${right})`
    case '!=':
      return `!equals(${left}, ${right})`
    case 'in':
      return `contains(${left}, ${right}, p = ${at})`
    case 'not in':
      return `!contains(${left}, ${right}, p = ${at})`
    default:
      return `compare("${operator}", ${left}, ${right}, p = ${at})`
  }
}

const quote = (text: string): string => JSON.stringify(text)
const temporaries = (body: Body): string => body.temporaries.map((name) => `, ${name}`).join('')

function literal(value: string | number | boolean | null | Float): string {
  if (value instanceof LargeInteger) return `${value.digits}n`
  if (value instanceof Float) return `new Float(${value.value})`
  return typeof value === 'number' ? String(value) : JSON.stringify(value)
}

function addTarget(target: Target, names: Set<string>): void {
  if (target.kind === 'name') names.add(target.name)
  else if (target.kind === 'tuple') for (const item of target.items) addTarget(item, names)
}

function targetNames(target: Target): Set<string> {
  const names = new Set<string>()
  addTarget(target, names)
  return names
}

/** The names that statements assign in their own scope; `if` shares it, all other bodies have their own. */
function assignedIn(statements: readonly Statement[], names = new Set<string>()): Set<string> {
  for (const statement of statements) {
    if (statement.kind === 'set' || statement.kind === 'set block') addTarget(statement.target, names)
    else if (statement.kind === 'macro') names.add(statement.name)
    else if (statement.kind === 'if') {
      for (const { body } of statement.branches) assignedIn(body, names)
      if (statement.otherwise) assignedIn(statement.otherwise, names)
    }
  }
  return names
}

function mentions(statements: readonly Statement[], name: string): boolean {
  let found = false
  walkExpressions(statements, (expression) => {
    found ||= expression.kind === 'name' && expression.name === name
  })
  return found
}

/** Which of `varargs`, `kwargs`, `caller` a macro takes: those that its body mentions. */
function specialFlags(statements: readonly Statement[], parameters: readonly Parameter[]): string {
  const takes = (name: string) => mentions(statements, name) && !parameters.some((each) => each.name === name)
  const hasOwnCaller = parameters.some(({ name }) => name === 'caller')
  return `{ varargs: ${takes('varargs')}, kwargs: ${takes('kwargs')}, caller: ${takes('caller') || hasOwnCaller} }`
}
