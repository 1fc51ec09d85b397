/** Options that several verbs share, declared once. */

import type { Option, Positional } from './define.ts'
import { wholeNumber } from './define.ts'
import { parseSignal } from './signals.ts'
import { parseWhen } from './when.ts'

export interface GlobalArgs {
  config?: string | undefined
  archive?: string | undefined
  identity?: string | undefined
  debug?: boolean
  noPager?: boolean
}

export const globalOptions: Readonly<Record<string, Option>> = {
  config: {
    type: 'string',
    value: 'FILE',
    describe: 'read this configuration instead of /etc/gocore-sink.conf',
    complete: 'file',
    group: 'Everywhere',
  },
  archive: {
    type: 'string',
    value: 'DIR',
    describe: 'use the archive in this directory',
    complete: 'directory',
    group: 'Everywhere',
  },
  identity: {
    type: 'string',
    value: 'FILE',
    describe: 'decrypt cores with the secret keys of age in this file',
    complete: 'file',
    group: 'Everywhere',
  },
  'no-pager': { type: 'boolean', describe: 'print long output without a pager', group: 'Everywhere' },
  debug: {
    type: 'boolean',
    describe: 'show the stack of an error of gocore-sink itself',
    group: 'Everywhere',
  },
}

export interface JsonArgs {
  json?: boolean
}

export const jsonOption: Readonly<Record<string, Option>> = {
  json: { type: 'boolean', describe: 'print JSON, see gocore-report(5)' },
}

/** Debug information from elsewhere. */
export interface SymbolArgs {
  symbols?: readonly string[]
}

/** For verbs that look into a dump: which one, and with which executable. */
export interface TargetArgs extends GlobalArgs, SymbolArgs {
  dump?: string
  exe?: string
  /** For verbs that print whole stacks. */
  whole?: boolean
}

export const dumpPositional: Positional = {
  describe: 'id or its beginning, or the path of a core file; without it, the latest dump',
  complete: 'dump',
}

export const exeOption: Readonly<Record<string, Option>> = {
  exe: {
    type: 'string',
    value: 'FILE',
    describe: 'the executable that crashed, where it is not found by itself',
    complete: 'file',
  },
}

/** What every verb takes that looks into a dump: the program, and what tells of it. */
export const binaryOptions: Readonly<Record<string, Option>> = {
  ...exeOption,
  symbols: {
    type: 'string',
    value: 'FILE|DIR|URL',
    several: true,
    describe:
      'take debug information from another build of the same code, a directory, or a debuginfod server',
    complete: 'file',
  },
}

export const wholeOption: Readonly<Record<string, Option>> = {
  whole: {
    type: 'boolean',
    describe: 'every frame of a stack that is deeper than 500; without it the middle is left out',
  },
}

/** Which crashes: the filters of `ls`, `search` and `top`. */
export interface FilterArgs {
  since?: number
  until?: number
  exe?: string
  pid?: number
  uid?: number
  signal?: number
  host?: string
  go?: string
  signature?: string
  text?: string
  limit?: number
}

const group = 'Which crashes'

export const filterOptions: Readonly<Record<string, Option>> = {
  since: {
    type: 'string',
    alias: 'S',
    value: 'WHEN',
    describe: 'not older than: 90s, 1h, 3d, today, 2026-11-22, "2026-11-22 03:00"',
    parse: parseWhen,
    group,
  },
  until: {
    type: 'string',
    alias: 'U',
    value: 'WHEN',
    describe: 'not younger than',
    parse: parseWhen,
    group,
  },
  exe: {
    type: 'string',
    value: 'TEXT',
    describe: 'path or name of the executable: a part of it, or a pattern with *',
    complete: 'file',
    group,
  },
  pid: { type: 'string', value: 'PID', describe: 'process id', parse: wholeNumber, group },
  uid: { type: 'string', value: 'UID', describe: 'user id of the process', parse: wholeNumber, group },
  signal: {
    type: 'string',
    value: 'SIGNAL',
    describe: 'signal, by name or number: SEGV, SIGABRT, 6',
    parse: parseSignal,
    group,
  },
  host: { type: 'string', value: 'NAME', describe: 'name of the machine', group },
  go: { type: 'string', value: 'VERSION', describe: 'Go version, or its beginning: 1.24, go1.26.8', group },
  signature: {
    type: 'string',
    value: 'KEY',
    describe: 'crashes alike, by the key that show and top print',
    group,
  },
  text: { type: 'string', value: 'WORDS', describe: 'words in the message or the frames', group },
  limit: {
    type: 'string',
    alias: 'n',
    value: 'N',
    describe: 'at most so many',
    parse: wholeNumber,
    group,
  },
}
