/** What `config` changes: Delve's names where it has the setting. */
import { UsageError } from '../../base/errors.ts'

export interface Settings {
  /** Bytes of a text that are shown. */
  readonly maxStringLen: number
  /** Elements of an array, slice or map that are shown. */
  readonly maxArrayValues: number
  /** Structures within structures that are opened. */
  readonly maxVariableRecurse: number
  /** Fields of a struct that are shown; -1 for all. */
  readonly maxStructFields: number
  /** Lines of source around the one that is looked at. */
  readonly sourceListLineCount: number
  /** Values as their bytes are, without a glance at times, locks and the like. */
  readonly raw: boolean
  readonly disassembleFlavor: 'go' | 'intel' | 'gnu'
}

export const defaultSettings: Settings = {
  maxStringLen: 64,
  maxArrayValues: 64,
  maxVariableRecurse: 1,
  maxStructFields: -1,
  sourceListLineCount: 5,
  raw: false,
  disassembleFlavor: 'intel',
}

export const settingHelp: Readonly<Record<keyof Settings, string>> = {
  maxStringLen: 'bytes of a text that are shown',
  maxArrayValues: 'elements of an array, slice or map that are shown',
  maxVariableRecurse: 'structures within structures that are opened',
  maxStructFields: 'fields of a struct that are shown, -1 for all',
  sourceListLineCount: 'lines of source before and behind the one that is looked at',
  raw: 'values as their bytes are: no glance at times, locks and errors',
  disassembleFlavor: 'syntax of machine code: go, intel or gnu',
}

/** `max-string-len`. */
export const settingName = (key: string): string =>
  key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)

export const settingKeys = Object.keys(defaultSettings) as readonly (keyof Settings)[]

/** Throws UsageError. */
export function settingKey(name: string): keyof Settings {
  const key = settingKeys.find(candidate => settingName(candidate) === name)
  if (key === undefined)
    throw new UsageError(`There is no setting ${name}; config prints those that there are.`)
  return key
}

/** The settings with one of them changed. Throws UsageError. */
export function changeSetting(settings: Settings, name: string, text: string): Settings {
  const key = settingKey(name)
  if (key === 'raw') {
    if (text !== 'true' && text !== 'false') throw new UsageError(`${name} is true or false.`)
    return { ...settings, raw: text === 'true' }
  }
  if (key === 'disassembleFlavor') {
    if (text !== 'go' && text !== 'intel' && text !== 'gnu')
      throw new UsageError(`${name} is go, intel or gnu.`)
    return { ...settings, disassembleFlavor: text }
  }
  if (!/^-?\d{1,9}$/.test(text) || (text.startsWith('-') && text !== '-1'))
    throw new UsageError(`${name} is a whole number.`)
  return { ...settings, [key]: Number(text) }
}
