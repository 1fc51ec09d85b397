/** The filter options of a command line as the catalog takes them. */
import type { CrashFilter } from '../catalog/catalog.ts'
import { type FilterArgs, filterOptions } from './options.ts'

const keys = [
  'since',
  'until',
  'exe',
  'pid',
  'uid',
  'signal',
  'host',
  'go',
  'signature',
  'text',
  'limit',
] as const

export function catalogFilter(args: FilterArgs): CrashFilter {
  return Object.fromEntries(keys.filter(key => args[key] !== undefined).map(key => [key, args[key]]))
}

/** The filters in words, for the sentence that nothing matched. */
export function describeFilter(args: FilterArgs): string {
  const given = keys.filter(key => key in filterOptions && key !== 'limit' && args[key] !== undefined)
  return given.map(key => `--${key} ${shown(key, args[key]!)}`).join(' ') || 'that'
}

function shown(key: (typeof keys)[number], value: string | number): string {
  if (key === 'since' || key === 'until')
    return JSON.stringify(new Date(value).toISOString().slice(0, 19).replace('T', ' '))
  return String(value)
}
