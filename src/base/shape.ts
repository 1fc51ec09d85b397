/**
 * What JSON that somebody else wrote must look like. A table of checks stands beside the type, and a value that passes can be
 * read as that type; fields that the table does not name pass.
 */

/** What is wrong with the value, with its place, as in `core.raw_size is not a number`; undefined where nothing is. */
export type Check = (value: unknown, place: string) => string | undefined

const is =
  (wanted: string, right: (value: unknown) => boolean): Check =>
  (value, place) =>
    right(value) ? undefined : `${place} is ${value === undefined ? 'missing' : `not ${wanted}`}`

export const text = is('a text', value => typeof value === 'string')
/** JSON has none that is NaN, but `1e999` is read as Infinity. */
export const number = is('a number', value => Number.isFinite(value))
/** What SQLite keeps as an INTEGER, and JavaScript exactly. */
export const integer = is('a whole number below 2^53', Number.isSafeInteger)
export const boolean = is('true or false', value => typeof value === 'boolean')
/** What nobody relies on. */
export const anything: Check = () => undefined

export const oneOf = (...values: readonly (string | number)[]): Check =>
  is(`one of ${values.join(', ')}`, value => values.includes(value as string | number))

export const optional =
  (check: Check): Check =>
  (value, place) =>
    value === undefined ? undefined : check(value, place)

const list = is('a list', Array.isArray)

export const listOf =
  (check: Check): Check =>
  (value, place) =>
    list(value, place) ?? first(value as unknown[], (item, i) => check(item, `${place}[${i}]`))

const object = is('an object', value => typeof value === 'object' && value !== null && !Array.isArray(value))

export const mapOf =
  (check: Check): Check =>
  (value, place) =>
    object(value, place) ??
    first(Object.entries(value as object), ([name, item]) => check(item, `${place}.${name.slice(0, 40)}`))

export function fields(table: Readonly<Record<string, Check>>): Check {
  const checks = Object.entries(table)
  return (value, place) =>
    object(value, place) ??
    first(checks, ([name, check]) => {
      const own = Object.hasOwn(value as object, name) ? (value as Record<string, unknown>)[name] : undefined
      return check(own, place === '' ? name : `${place}.${name}`)
    })
}

function first<T>(
  items: readonly T[],
  check: (item: T, index: number) => string | undefined,
): string | undefined {
  for (const [i, item] of items.entries()) {
    const problem = check(item, i)
    if (problem !== undefined) return problem
  }
  return undefined
}
