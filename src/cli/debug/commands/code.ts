/** `list`, `disassemble`, `examinemem` and `regs`: the code and the memory where one looks, as the verbs show them. */
import { NotFoundError } from '../../../base/errors.ts'
import { disassemblyLines, parseDisassemble } from '../../inspect/disassemble.ts'
import { examineLines, parseExamine, parseGdbFormat } from '../../inspect/examine.ts'
import { disassemblyJson, librariesJson, memoryJson, registersJson, sourceJson } from '../../inspect/json.ts'
import { listedPlace, listLines } from '../../inspect/list.ts'
import { libraryLines, nameLines, sourceFiles } from '../../inspect/names.ts'
import { registerLines } from '../../inspect/registers.ts'
import { parsePattern } from '../../pattern.ts'
import { type DebugCommand, splitFirst, wordsOf } from '../command.ts'
import { whereLine } from './position.ts'

const none = { before: 0, after: 0 }

export const list: DebugCommand = {
  name: 'list',
  schema: 'gocore-source',
  aliases: ['ls', 'l'],
  usage: 'list [LOCATION]',
  describe: 'show source around where one looks, or around a place',
  details: [
    'LOCATION is a function, FILE:LINE, a line of this file, +N or -N lines, or *ADDRESS.',
    'Again without a location, the lines that follow.',
  ],
  complete: 'function',
  repeats: true,
  async run(state, rest) {
    const context = await state.inspect()
    const around = state.settings.sourceListLineCount
    const { listed } = state
    // Again without a place: the lines that follow those that were shown.
    const text = rest === '' && listed ? `${listed.file}:${listed.line + 2 * around + 1}` : rest
    const place = listedPlace(context, text)
    await context.sources.prepare?.(place.file)
    const more = rest === '' && listed !== undefined
    if (more && context.sources.lines(listed, none) && !context.sources.lines(place, none)) {
      state.listed = undefined
      throw new NotFoundError('The file has no more lines.')
    }
    state.listed = place
    const [head, ...lines] = listLines(context, text, { before: around, after: around })
    const first = text === '' ? whereLine(state, state.frame) : head!
    return { lines: () => [first, ...lines], data: () => sourceJson(context, text, around) }
  },
}

export const disassemble: DebugCommand = {
  name: 'disassemble',
  schema: 'gocore-disassembly',
  aliases: ['disass'],
  usage: 'disassemble [-a START END] [-l LOCATION] [-s go|intel|gnu]',
  describe: 'show machine code with its source, and why an instruction faulted',
  complete: 'function',
  async run(state, rest) {
    const words = wordsOf(rest)
    // A location reaches to the end of the line: what else there is goes first.
    const at = words.indexOf('-s')
    const syntax = at < 0 ? ['-s', state.settings.disassembleFlavor] : words.splice(at, 2)
    const context = await state.inspect()
    const options = parseDisassemble([...syntax, ...words])
    return {
      lines: () => disassemblyLines(context, options),
      data: () => disassemblyJson(context, options),
    }
  },
}

export const examine: DebugCommand = {
  name: 'examinemem',
  schema: 'gocore-memory',
  aliases: ['x'],
  usage: 'x [-fmt FORMAT] [-count N] [-size N] ADDRESS|-x EXPRESSION  or  x/NFU ADDRESS',
  describe: 'show memory as numbers, text or instructions',
  details: ["Delve's form, or GDB's: x/30i $pc, x/8gx $sp, x/s p."],
  complete: 'expression',
  repeats: true,
  async run(state, rest) {
    const context = await state.inspect()
    const [first, address] = splitFirst(rest)
    const options = first.startsWith('/')
      ? parseGdbFormat(first.slice(1), address === '' ? '$pc' : address)
      : parseExamine(wordsOf(rest))
    return { lines: () => examineLines(context, options), data: () => memoryJson(context, options) }
  },
}

export const regs: DebugCommand = {
  name: 'regs',
  schema: 'gocore-registers',
  aliases: ['registers'],
  usage: 'regs [-a]',
  describe: 'show the registers that are known where one looks',
  details: ['-a   floating point and vector registers too'],
  async run(state, rest) {
    const context = await state.inspect()
    const all = wordsOf(rest).includes('-a')
    return {
      lines: () => registerLines(context, { all, style: 'dlv' }),
      data: () => registersJson(context, all),
    }
  },
}

export const libraries: DebugCommand = {
  name: 'libraries',
  schema: 'gocore-libraries',
  usage: 'libraries',
  describe: 'list the shared libraries',
  async run(state) {
    const context = await state.inspect()
    return { lines: () => libraryLines(context), data: () => librariesJson(context) }
  },
}

export const sources: DebugCommand = {
  name: 'sources',
  schema: 'gocore-sources',
  usage: 'sources [REGEX]',
  describe: 'list the source files of the program',
  async run(state, rest) {
    const files = sourceFiles(await state.inspect(), parsePattern(rest))
    return { lines: () => nameLines(files), data: () => ({ sources: files }) }
  },
}
