/** Options of the verbs that look into a process: from where, and where its source and symbols are. */
import type { Process } from '../../engine/index.ts'
import type { Option } from '../define.ts'
import { wholeNumber } from '../define.ts'
import type { SymbolArgs } from '../options.ts'
import { parseSourceMap, type SourceMapping } from '../source/candidates.ts'
import { openCheckout } from '../source/checkout.ts'
import { sourceOrigin } from '../source/origin.ts'
import { type SourceFinder, type SourceOptions, sourceFinder } from '../source-lines.ts'
import { fetchByBuildId } from '../symbols/debuginfod.ts'
import { serversIn } from '../symbols/index.ts'

export interface PlaceArgs {
  goroutine?: number
  thread?: number
  frame?: string
}

/** Where source is looked for. */
export interface SourceArgs {
  source?: readonly string[]
  sourceMap?: readonly SourceMapping[]
  checkout?: string
}

export const sourceOptions: Readonly<Record<string, Option>> = {
  'source-map': {
    type: 'string',
    value: 'FROM=TO',
    several: true,
    describe: 'look for source files whose path begins with FROM at TO',
    parse: parseSourceMap,
  },
  source: {
    type: 'string',
    value: 'DIR',
    several: true,
    describe: 'look for source files below this directory too',
    complete: 'directory',
  },
  checkout: {
    type: 'string',
    value: 'DIR',
    describe: 'read source from this git checkout, at the commit that the program was built from',
    complete: 'directory',
  },
}

/** `diedAt` in milliseconds since the epoch. Throws UsageError where the checkout is of no use. */
export function openSources(dead: Process, args: SourceArgs & SymbolArgs, diedAt?: number): SourceFinder {
  const origin = sourceOrigin(dead, diedAt)
  return sourceFinder({
    origin,
    mappings: args.sourceMap ?? [],
    dirs: args.source ?? [],
    ...fetcherOf(dead, args),
    ...(args.checkout === undefined ? {} : { checkout: openCheckout(args.checkout, origin) }),
  })
}

/** Of servers that `--symbols` names, by the build id of the program. */
function fetcherOf({ image }: Process, { symbols }: SymbolArgs): Pick<SourceOptions, 'fetch'> {
  const servers = serversIn(symbols)
  const buildId = image.executable?.elf.buildId
  if (servers.length === 0 || buildId === undefined) return {}
  return {
    async fetch(file) {
      for (const server of servers) {
        const path = await fetchByBuildId(server, buildId, { source: file }).catch(() => undefined)
        if (path !== undefined) return path
      }
      return undefined
    },
  }
}

export const placeOptions: Readonly<Record<string, Option>> = {
  goroutine: {
    type: 'string',
    alias: 'g',
    value: 'N',
    describe: 'look from this goroutine, not from the one that crashed',
    parse: wholeNumber,
  },
  thread: {
    type: 'string',
    value: 'TID',
    describe: "look from this kernel thread, its signal handler's frames included",
    parse: wholeNumber,
  },
  frame: {
    type: 'string',
    alias: 'f',
    value: 'N|FUNCTION',
    describe: 'look from this frame; without it, from the innermost one that is not of the runtime',
  },
}
