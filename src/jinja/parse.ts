// Template tokens to a syntax tree, as Jinja2's parser reads them (jinja2/parser.py), with dbt's extensions:
// `do`, `break`, `continue`, and the blocks `test`, `snapshot`, `materialization` that become macros.
//
// The order of operators is Jinja's, not Python's: `~` binds tighter than `+`, and `**` groups to the left.

import type { Arguments, BlockKind, Comparison, Expression, Options, Parameter, Statement, Target } from './ast.ts'
import type { SourceMap } from './errors.ts'
import { lex, type Token } from './lex.ts'

/** Jinja limits nothing here; Python's recursion limit does it. */
const depthMax = 500
const constants = new Map<string, boolean | null>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
])
const comparisons = new Set(['==', '!=', '<', '<=', '>', '>='])
const foreign = new Set(['extends', 'include', 'import', 'from', 'block', 'autoescape', 'trans', 'pluralize'])

export function parse(source: SourceMap): Statement[] {
  return new Parser(source, lex(source)).template()
}

/** One expression without delimiters, as in `expression_is_true`'s arguments. */
export function parseExpression(source: SourceMap): Expression {
  return new Parser(source, lex(source)).wholeExpression()
}

class Parser {
  readonly #source: SourceMap
  readonly #tokens: Token[]
  #next = 0
  #depth = 0
  #loops = 0
  /** Innermost last: what the message of a missing end tag names. */
  readonly #open: { tag: string; ends: string[]; at: number }[] = []

  constructor(source: SourceMap, tokens: Token[]) {
    this.#source = source
    this.#tokens = tokens
  }

  template(): Statement[] {
    const body = this.#statements([])
    return body
  }

  wholeExpression(): Expression {
    this.#expect('output start')
    const value = this.#tuple({})
    this.#expect('output end')
    this.#expect('end')
    return value
  }

  // --- tokens

  get #token(): Token {
    return this.#tokens[this.#next]!
  }

  #advance(): Token {
    const token = this.#token
    if (token.kind !== 'end') this.#next++
    return token
  }

  #fail(message: string, at = this.#token.at): never {
    throw this.#source.invalid(message, at)
  }

  #is(text: string): boolean {
    const { kind, text: found } = this.#token
    return (kind === 'operator' || kind === 'name') && found === text
  }

  #skip(text: string): boolean {
    if (!this.#is(text)) return false
    this.#next++
    return true
  }

  #expect(kind: Token['kind'], text?: string): Token {
    const token = this.#token
    if (token.kind !== kind || (text !== undefined && token.text !== text)) {
      const wanted =
        text ??
        (kind === 'output end' ? 'end of print statement' : kind === 'statement end' ? 'end of statement block' : kind)
      this.#fail(`expected "${wanted}", got "${token.text}"`)
    }
    return this.#advance()
  }

  #name(): Token {
    return this.#expect('name')
  }

  #nested<Value>(read: () => Value): Value {
    if (++this.#depth > depthMax) this.#fail(`nested more than ${depthMax} levels deep`)
    const value = read()
    this.#depth--
    return value
  }

  // --- statements

  /** Statements up to one of the end tags (left unread), or to the end of the template when there are none. */
  #statements(ends: readonly string[]): Statement[] {
    return this.#nested(() => {
      const body: Statement[] = []
      for (;;) {
        const token = this.#token
        if (token.kind === 'text') {
          body.push({ kind: 'text', text: token.text, at: token.at })
          this.#next++
        } else if (token.kind === 'output start') {
          this.#next++
          const at = this.#token.at
          body.push({ kind: 'output', value: this.#tuple({ conditional: true }), at })
          this.#expect('output end')
        } else if (token.kind === 'statement start') {
          const tag = this.#tokens[this.#next + 1]!
          if (tag.kind === 'name' && ends.includes(tag.text)) {
            this.#next++
            return body
          }
          this.#next++
          this.#statement(token.at, body)
        } else {
          if (ends.length > 0) this.#failUnclosed()
          return body
        }
      }
    })
  }

  #failUnclosed(): never {
    const { tag, ends, at } = this.#open.at(-1)!
    const wanted = ends.map((end) => `{% ${end} %}`).join(' or ')
    this.#fail(`this {% ${tag} %} is never closed: ${wanted} is missing`, at)
  }

  /** A body up to `ends`; the end tag's name is consumed, what follows it is not. */
  #body(tag: string, at: number, ends: readonly string[]): { body: Statement[]; end: string } {
    this.#open.push({ tag, ends: [...ends], at })
    const body = this.#statements(ends)
    this.#open.pop()
    return { body, end: this.#advance().text }
  }

  #closed(tag: string, at: number): Statement[] {
    this.#endTag()
    const { body } = this.#body(tag, at, [`end${tag}`])
    return body
  }

  #endTag(): void {
    this.#skip(':') // as in Python: {% if x: %}
    this.#expect('statement end')
  }

  #statement(at: number, into: Statement[]): void {
    const tag = this.#token
    if (tag.kind !== 'name') this.#fail(`a tag name is expected, got "${tag.text}"`)
    this.#next++
    into.push(this.#statementOf(tag, at))
    this.#endTag()
  }

  #statementOf(tag: Token, at: number): Statement {
    switch (tag.text) {
      case 'if':
        return this.#if(at)
      case 'for':
        return this.#for(at)
      case 'set':
        return this.#set(at)
      case 'macro':
        return this.#macro(at)
      case 'test':
      case 'data_test':
        return this.#test(tag.text, at)
      case 'snapshot':
        return this.#snapshot(at)
      case 'materialization':
        return this.#materialization(at)
      case 'call':
        return this.#call(at)
      case 'filter':
        return this.#filterBlock(at)
      case 'with':
        return this.#with(at)
      case 'do':
        return { kind: 'do', value: this.#tuple({ conditional: true }), at }
      case 'print':
        return { kind: 'output', value: this.#tuple({ conditional: true }), at }
      case 'break':
      case 'continue':
        if (this.#loops === 0) this.#fail(`{% ${tag.text} %} stands outside a loop`, at)
        return { kind: tag.text, at }
    }
    if (foreign.has(tag.text)) {
      this.#fail(`{% ${tag.text} %} is not part of dbt's templates; use a macro in macros/ instead`, tag.at)
    }
    const open = this.#open.at(-1)
    const wanted = open
      ? `; {% ${open.tag} %} of line ${this.#source.place(open.at).line} waits for ` +
        open.ends.map((end) => `{% ${end} %}`).join(' or ')
      : ''
    this.#fail(`unknown tag {% ${tag.text} %}${wanted}`, tag.at)
  }

  #if(at: number): Statement {
    const branches: { test: Expression; body: Statement[] }[] = []
    let test = this.#tuple({})
    for (;;) {
      this.#endTag()
      const { body, end } = this.#body('if', at, ['elif', 'else', 'endif'])
      branches.push({ test, body })
      if (end === 'endif') return { kind: 'if', branches, otherwise: undefined, at }
      if (end === 'else') {
        this.#endTag()
        const otherwise = this.#body('if', at, ['endif']).body
        return { kind: 'if', branches, otherwise, at }
      }
      test = this.#tuple({})
    }
  }

  #for(at: number): Statement {
    const target = this.#target({ endsAt: 'in' })
    this.#expect('name', 'in')
    const items = this.#tuple({ stop: ['if', 'recursive'] })
    const test = this.#skip('if') ? this.#expression() : undefined
    const isRecursive = this.#skip('recursive')
    this.#endTag()
    this.#loops++
    const { body, end } = this.#body('for', at, ['endfor', 'else'])
    this.#loops--
    let otherwise: Statement[] = []
    if (end === 'else') {
      this.#endTag()
      otherwise = this.#body('for', at, ['endfor']).body
    }
    return { kind: 'for', target, items, test, body, otherwise, isRecursive, at }
  }

  #set(at: number): Statement {
    const target = this.#target({ namespace: true })
    if (this.#skip('=')) return { kind: 'set', target, value: this.#tuple({ conditional: true }), at }
    const filter = this.#is('|') ? this.#filters(undefined) : undefined
    return { kind: 'set block', target, filter, body: this.#closed('set', at), at }
  }

  #macro(at: number): Statement {
    const { text } = this.#name()
    return this.#macroBody('macro', text, this.#signature(), [], 'macro', at)
  }

  #test(tag: string, at: number): Statement {
    const { text } = this.#name()
    return this.#macroBody('test', `test_${text}`, this.#is('(') ? this.#signature() : [], [], tag, at)
  }

  #snapshot(at: number): Statement {
    const { text } = this.#name()
    return this.#macroBody('snapshot', `snapshot_${text}`, [], [], 'snapshot', at)
  }

  /** `{% materialization name, adapter='x' %}` or `{% materialization name, default %}`. */
  #materialization(at: number): Statement {
    const { text } = this.#name()
    const options: Options = []
    let adapter = 'default'
    while (this.#skip(',')) {
      const option = this.#name()
      if (option.text === 'default') continue
      this.#expect('operator', '=')
      const value = this.#expression()
      if (option.text === 'adapter') {
        if (value.kind !== 'literal' || typeof value.value !== 'string') this.#fail('adapter= takes a string', value.at)
        adapter = value.value
      } else if (option.text !== 'supported_languages') {
        this.#fail(
          `a materialization knows "default", "adapter" and "supported_languages", not "${option.text}"`,
          option.at,
        )
      }
      options.push({ name: option.text, value })
    }
    return this.#macroBody('materialization', `materialization_${text}_${adapter}`, [], options, 'materialization', at)
  }

  #macroBody(
    block: BlockKind,
    name: string,
    parameters: Parameter[],
    options: Options,
    tag: string,
    at: number,
  ): Statement {
    const loops = this.#loops
    this.#loops = 0
    const body = this.#closed(tag, at)
    this.#loops = loops
    // `{% endmacro name %}` is allowed.
    if (this.#token.kind === 'name') this.#next++
    return { kind: 'macro', block, name, parameters, options, body, at }
  }

  #call(at: number): Statement {
    const parameters = this.#is('(') ? this.#signature() : []
    const call = this.#expression()
    if (call.kind !== 'call') this.#fail('{% call %} needs a call, as in {% call statement() %}', call.at)
    const loops = this.#loops
    this.#loops = 0
    const body = this.#closed('call', at)
    this.#loops = loops
    return { kind: 'call block', parameters, call, body, at }
  }

  #filterBlock(at: number): Statement {
    const filter = this.#filters(undefined, true)
    if (!filter) this.#fail('a filter name is expected')
    return { kind: 'filter block', filter, body: this.#closed('filter', at), at }
  }

  #with(at: number): Statement {
    const targets: Target[] = []
    const values: Expression[] = []
    while (this.#token.kind !== 'statement end') {
      if (targets.length > 0) this.#expect('operator', ',')
      targets.push(this.#target({}))
      this.#expect('operator', '=')
      values.push(this.#expression())
    }
    return { kind: 'with', targets, values, body: this.#closed('with', at), at }
  }

  #signature(): Parameter[] {
    const parameters: Parameter[] = []
    this.#expect('operator', '(')
    while (!this.#is(')')) {
      if (parameters.length > 0) {
        this.#expect('operator', ',')
        if (this.#is(')')) break
      }
      const name = this.#name()
      const fallback = this.#skip('=') ? this.#expression() : undefined
      if (!fallback && parameters.at(-1)?.fallback) {
        this.#fail(`parameter "${name.text}" without a default follows one with a default`, name.at)
      }
      if (parameters.some((each) => each.name === name.text)) {
        this.#fail(`parameter "${name.text}" is named twice`, name.at)
      }
      if (name.text === 'caller' && !fallback) this.#fail('the parameter "caller" must have a default', name.at)
      parameters.push({ name: name.text, fallback, at: name.at })
    }
    this.#expect('operator', ')')
    return parameters
  }

  #target({ namespace = false, endsAt }: { namespace?: boolean; endsAt?: string }): Target {
    const { at } = this.#token
    const items: Target[] = []
    let isTuple = false
    for (;;) {
      if (items.length > 0 && (this.#is('=') || this.#is(')') || this.#token.kind === 'statement end')) break
      if (endsAt && this.#is(endsAt)) break
      items.push(this.#targetItem(namespace))
      if (!this.#skip(',')) break
      isTuple = true
    }
    if (items.length === 0) this.#fail(`a name is expected, got "${this.#token.text}"`)
    return isTuple ? { kind: 'tuple', items, at } : items[0]!
  }

  #targetItem(namespace: boolean): Target {
    if (this.#skip('(')) {
      const inner = this.#target({ namespace })
      this.#expect('operator', ')')
      return inner
    }
    const { text, at } = this.#name()
    if (constants.has(text)) this.#fail(`"${text}" cannot be assigned`, at)
    if (namespace && this.#skip('.')) return { kind: 'namespace', name: text, attribute: this.#name().text, at }
    return { kind: 'name', name: text, at }
  }

  // --- expressions

  /** One expression, or a tuple of several without parentheses. */
  #tuple({
    conditional = false,
    stop = [],
    parenthesised = false,
  }: {
    conditional?: boolean
    stop?: string[]
    parenthesised?: boolean
  }): Expression {
    const { at } = this.#token
    const items: Expression[] = []
    let isTuple = false
    const read = () => (stop.includes('if') && !conditional ? this.#or() : this.#expression())
    for (;;) {
      if (items.length > 0 && !isTuple) break
      if (this.#atTupleEnd(stop)) break
      items.push(read())
      if (!this.#skip(',')) break
      isTuple = true
    }
    if (!isTuple && items.length === 1) return items[0]!
    if (items.length === 0 && !parenthesised) this.#fail(`an expression is expected, got "${this.#token.text}"`)
    return { kind: 'tuple', items, at }
  }

  #atTupleEnd(stop: string[]): boolean {
    const { kind } = this.#token
    return (
      kind === 'output end' ||
      kind === 'statement end' ||
      kind === 'end' ||
      this.#is(')') ||
      stop.some((word) => this.#token.kind === 'name' && this.#is(word))
    )
  }

  #expression(): Expression {
    return this.#nested(() => {
      let value = this.#or()
      while (this.#is('if')) {
        const { at } = this.#advance()
        const test = this.#or()
        const otherwise = this.#skip('else') ? this.#expression() : undefined
        value = { kind: 'conditional', test, value, otherwise, at }
      }
      return value
    })
  }

  #or(): Expression {
    let left = this.#and()
    while (this.#is('or')) {
      const { at } = this.#advance()
      left = { kind: 'or', left, right: this.#and(), at }
    }
    return left
  }

  #and(): Expression {
    let left = this.#not()
    while (this.#is('and')) {
      const { at } = this.#advance()
      left = { kind: 'and', left, right: this.#not(), at }
    }
    return left
  }

  #not(): Expression {
    if (!this.#is('not')) return this.#compare()
    const { at } = this.#advance()
    return { kind: 'not', operand: this.#nested(() => this.#not()), at }
  }

  #compare(): Expression {
    const first = this.#sum()
    const rest: { operator: Comparison; operand: Expression }[] = []
    const { at } = this.#token
    for (;;) {
      const token = this.#token
      if (token.kind === 'operator' && comparisons.has(token.text)) {
        this.#next++
        rest.push({ operator: token.text as Comparison, operand: this.#sum() })
      } else if (this.#skip('in')) rest.push({ operator: 'in', operand: this.#sum() })
      else if (this.#is('not') && this.#tokens[this.#next + 1]?.text === 'in') {
        this.#next += 2
        rest.push({ operator: 'not in', operand: this.#sum() })
      } else break
    }
    return rest.length === 0 ? first : { kind: 'compare', first, rest, at }
  }

  #sum(): Expression {
    return this.#leftToRight(['+', '-'], () => this.#concat())
  }

  #concat(): Expression {
    const { at } = this.#token
    const items = [this.#product()]
    while (this.#skip('~')) items.push(this.#product())
    return items.length === 1 ? items[0]! : { kind: 'concat', items, at }
  }

  #product(): Expression {
    return this.#leftToRight(['*', '/', '//', '%'], () => this.#leftToRight(['**'], () => this.#unary(true)))
  }

  #leftToRight(operators: readonly string[], read: () => Expression): Expression {
    let left = read()
    while (this.#token.kind === 'operator' && operators.includes(this.#token.text)) {
      const { text, at } = this.#advance()
      left = { kind: 'binary', operator: text as '+', left, right: read(), at }
    }
    return left
  }

  #unary(withFilters: boolean): Expression {
    const { at } = this.#token
    let value: Expression
    if (this.#skip('-')) value = { kind: 'negative', operand: this.#nested(() => this.#unary(false)), at }
    else if (this.#skip('+')) value = { kind: 'positive', operand: this.#nested(() => this.#unary(false)), at }
    else value = this.#postfix(this.#primary())
    return withFilters ? this.#filtersAndTests(value) : value
  }

  #primary(): Expression {
    const token = this.#advance()
    const { at } = token
    if (token.kind === 'name') {
      const constant = constants.get(token.text)
      if (constant !== undefined) return { kind: 'literal', value: constant, at }
      return { kind: 'name', name: token.text, at }
    }
    if (token.kind === 'literal') {
      if (typeof token.value !== 'string') return { kind: 'literal', value: token.value, at }
      let text = token.value
      for (let next = this.#token; next.kind === 'literal' && typeof next.value === 'string'; next = this.#token) {
        text += next.value
        this.#next++
      }
      return { kind: 'literal', value: text, at }
    }
    if (token.kind === 'operator') {
      if (token.text === '(') {
        const value = this.#tuple({ conditional: true, parenthesised: true })
        this.#expect('operator', ')')
        return value
      }
      if (token.text === '[') return { kind: 'list', items: this.#listItems(), at }
      if (token.text === '{') return { kind: 'dict', pairs: this.#dictPairs(), at }
    }
    return this.#fail(`an expression is expected, got "${token.text}"`, at)
  }

  #listItems(): Expression[] {
    const items: Expression[] = []
    while (!this.#is(']')) {
      if (items.length > 0) {
        this.#expect('operator', ',')
        if (this.#is(']')) break
      }
      items.push(this.#expression())
    }
    this.#next++
    return items
  }

  #dictPairs(): [Expression, Expression][] {
    const pairs: [Expression, Expression][] = []
    while (!this.#is('}')) {
      if (pairs.length > 0) {
        this.#expect('operator', ',')
        if (this.#is('}')) break
      }
      const key = this.#expression()
      this.#expect('operator', ':')
      pairs.push([key, this.#expression()])
    }
    this.#next++
    return pairs
  }

  #postfix(value: Expression): Expression {
    for (;;) {
      if (this.#token.kind !== 'operator') return value
      if (this.#is('.') || this.#is('[')) value = this.#subscript(value)
      else if (this.#is('(')) {
        const { at } = this.#token
        value = { kind: 'call', callee: value, ...this.#arguments(), at: value.kind === 'name' ? value.at : at }
      } else return value
    }
  }

  #filtersAndTests(value: Expression): Expression {
    for (;;) {
      if (this.#is('|')) value = this.#filters(value)!
      else if (this.#token.kind === 'name' && this.#is('is')) value = this.#isTest(value)
      else if (this.#is('(')) {
        const { at } = this.#token
        value = { kind: 'call', callee: value, ...this.#arguments(), at }
      } else return value
    }
  }

  #subscript(object: Expression): Expression {
    const { at } = this.#advance()
    if (this.#tokens[this.#next - 1]!.text === '.') {
      const token = this.#advance()
      if (token.kind === 'name') return { kind: 'attribute', object, name: token.text, at: token.at }
      if (token.kind === 'literal' && typeof token.value === 'number') {
        return { kind: 'item', object, key: { kind: 'literal', value: token.value, at: token.at }, at }
      }
      this.#fail(`a name is expected after ".", got "${token.text}"`, token.at)
    }
    const keys: Expression[] = []
    while (!this.#is(']')) {
      if (keys.length > 0) this.#expect('operator', ',')
      keys.push(this.#subscriptItem())
    }
    this.#next++
    // None between the brackets is the empty tuple, as in Jinja2.
    return { kind: 'item', object, key: keys.length === 1 ? keys[0]! : { kind: 'tuple', items: keys, at }, at }
  }

  #subscriptItem(): Expression {
    const { at } = this.#token
    const atEnd = () => this.#is(':') || this.#is(']') || this.#is(',')
    const start = this.#is(':') ? undefined : this.#expression()
    if (!this.#skip(':')) return start!
    const stop = atEnd() ? undefined : this.#expression()
    const step = this.#skip(':') && !atEnd() ? this.#expression() : undefined
    return { kind: 'slice', start, stop, step, at }
  }

  #arguments(): Arguments {
    const found: Arguments = { args: [], kwargs: [] }
    this.#expect('operator', '(')
    let isFirst = true
    while (!this.#is(')')) {
      if (!isFirst) {
        this.#expect('operator', ',')
        if (this.#is(')')) break
      }
      isFirst = false
      this.#argument(found)
    }
    this.#next++
    return found
  }

  #argument(found: Arguments): void {
    const { kind, text, at } = this.#token
    if (this.#skip('*')) {
      if (found.star || found.starStar) this.#fail('"*" stands at the wrong place in this call', at)
      found.star = this.#expression()
    } else if (this.#skip('**')) {
      if (found.starStar) this.#fail('"**" may stand once in a call', at)
      found.starStar = this.#expression()
    } else if (kind === 'name' && this.#tokens[this.#next + 1]?.text === '=' && !found.starStar) {
      this.#next += 2
      if (found.kwargs.some(({ name }) => name === text)) this.#fail(`argument "${text}" is given twice`, at)
      found.kwargs.push({ name: text, value: this.#expression() })
    } else {
      if (found.star || found.starStar || found.kwargs.length > 0) {
        this.#fail('a positional argument follows a named one', at)
      }
      found.args.push(this.#expression())
    }
  }

  #filters(value: Expression | undefined, startsInline = false): Expression | undefined {
    let isInline = startsInline
    while (this.#is('|') || isInline) {
      if (!isInline) this.#next++
      isInline = false
      const { at } = this.#token
      const name = this.#dottedName()
      const inputs = this.#is('(') ? this.#arguments() : { args: [], kwargs: [] }
      value = { kind: 'filter', operand: value, name, ...inputs, at }
    }
    return value
  }

  #isTest(operand: Expression): Expression {
    this.#next++
    const isNegated = this.#skip('not')
    const { at } = this.#token
    const name = this.#dottedName()
    let inputs: Arguments = { args: [], kwargs: [] }
    const next = this.#token
    if (this.#is('(')) inputs = this.#arguments()
    else if (
      (next.kind === 'name' && !['else', 'or', 'and'].includes(next.text)) ||
      next.kind === 'literal' ||
      this.#is('[') ||
      this.#is('{')
    ) {
      if (next.text === 'is') this.#fail('tests cannot be chained with "is"')
      // `x is defined if y`: the word after the test is the conditional, not an argument.
      if (!(next.kind === 'name' && (next.text === 'if' || next.text === 'in' || next.text === 'not'))) {
        inputs = { args: [this.#postfix(this.#primary())], kwargs: [] }
      }
    }
    const test: Expression = { kind: 'test', operand, name, ...inputs, at }
    return isNegated ? { kind: 'not', operand: test, at } : test
  }

  #dottedName(): string {
    let { text } = this.#name()
    while (this.#skip('.')) text += `.${this.#name().text}`
    return text
  }
}
