// Python's classes as templates reach them through `modules`: called, they make a value; they have attributes besides.

import { HostObject, type Callable, type Kwargs } from '../../../jinja/index.ts'

export class PyClass extends HostObject {
  override readonly typeName = 'type'
  readonly #name: string
  readonly #make: Callable
  readonly #attributes: Readonly<Record<string, unknown>>
  constructor(name: string, make: Callable, attributes: Readonly<Record<string, unknown>> = {}) {
    super()
    this.#name = name
    this.#make = make
    this.#attributes = attributes
  }
  override get callable(): boolean {
    return true
  }
  override call(args: unknown[], kwargs: Kwargs): unknown {
    return this.#make(args, kwargs)
  }
  override attr(name: string): unknown {
    return Object.hasOwn(this.#attributes, name) ? this.#attributes[name] : undefined
  }
  override text(): string {
    return `<class '${this.#name}'>`
  }
}
