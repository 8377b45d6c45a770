// TypeScript and JSX with much that older engines do not have.
import React, { type ReactNode } from 'react'

enum Kind { Cat = 'cat', Dog = 'dog' }
interface Animal<T extends Kind = Kind> { readonly name: string; kind: T; owner?: { id: bigint } }

abstract class Store<T> {
	static #count = 0
	#items = new Map<string, T>()
	protected constructor(private readonly label: string) { Store.#count++ }
	get size(): number { return this.#items.size }
	put = (key: string, item: T): this => { this.#items.set(key, item); return this }
	async *all(): AsyncGenerator<[string, T]> { for (const entry of this.#items) yield await entry }
	has(key: string) { return #items in this && this.#items.has(key) }
	static { Store.#count ||= 0 }
}

class Animals extends Store<Animal> { constructor() { super('animals') } }

const describe = ({ name, kind, ...rest }: Animal): string =>
	`${name ?? 'nobody'} (${kind}) ${rest.owner?.id ?? 0n} ${/(?<year>\d{4})/u.exec('2026')?.groups?.year}`

export function Page<P extends { children?: ReactNode }>({ children, ...props }: P): JSX.Element {
	const animals = new Animals().put('rex', { name: 'Rex', kind: Kind.Dog } satisfies Animal)
	return <>
		<h1 {...props}>{animals.size} & more</h1>
		{[...'ab'].map((key, i) => <li key={key}>{i ** 2}{children}</li>)}
		<p>{describe({ name: 'Tom', kind: Kind.Cat })}</p>
	</>
}

export default (async () => { for await (const [k] of new Animals().all()) console.log(k!) }) as () => Promise<void>
