/** The compiled-in tables of a Go executable: build information, moduledata, pclntab with all that hangs on it; its code. */
import { loadDisassembler } from '../../src/cli/disassembler.ts'
import { amd64 } from '../../src/engine/arch/amd64.ts'
import type { ByteSource } from '../../src/engine/bytes/byte-source.ts'
import { openCoreFile } from '../../src/engine/core/core-file.ts'
import { openProcessImage } from '../../src/engine/core/process-image.ts'
import { Code, compareGoCode, instructionText } from '../../src/engine/disasm/index.ts'
import { readDebugLink } from '../../src/engine/elf/debug-link.ts'
import { openElf } from '../../src/engine/elf/file.ts'
import { findBuildInfo } from '../../src/engine/gosym/buildinfo.ts'
import { findModules } from '../../src/engine/gosym/moduledata.ts'
import { findPclntab } from '../../src/engine/gosym/pclntab.ts'
import { openSymtab } from '../../src/engine/gosym/symtab.ts'
import { parseGoVersion } from '../../src/engine/runtime/go-version.ts'
import { openRuntime } from '../../src/engine/runtime/runtime.ts'
import { fixtureCore, fixtureExecutable } from './fixture.ts'
import type { Range } from './mutate.ts'
import type { Target } from './target.ts'
import { crashWith, ofEachVersion } from './whole-crashes.ts'

function tablesAt(executable: ByteSource): Range[] {
  const { sections } = openElf(executable)
  const names = /pclntab|buildinfo|go\.module|rodata|typelink|itab|data\.rel\.ro|noptrdata/
  return sections.filter(s => names.test(s.name)).map(s => [s.offset, s.offset + s.size] as const)
}

const pclntab: Target = {
  name: 'pclntab',
  seeds: () =>
    ofEachVersion().map(({ executable: source }) => {
      const { offset, size } = openElf(source).section('.gopclntab')!
      return { source, hot: [...tablesAt(source), [offset, offset + 4096], [offset, offset + size]] }
    }),
  run: (executable, seed) => {
    const core = openCoreFile(crashWith(seed).core)
    const image = openProcessImage(core, { executable, find: () => undefined })
    const { memory, executable: file } = image
    const header = file && findPclntab(file, memory)
    if (!file || !header) return
    const minor = parseGoVersion(findBuildInfo(file, memory)?.goVersion ?? '')?.minor
    const symtab = openSymtab(memory, findModules(memory, header, file, minor))
    symtab.findByName('runtime.gopanic')
    for (const module of symtab.modules) {
      const step = Math.max(64, Math.floor((module.etext - module.text) / 3000))
      for (let pc = module.text, n = 0; pc < module.etext && n < 3000; pc += step, n++) {
        const func = symtab.findFunc(pc)
        if (func) void [func.name, func.inlinedAt(pc), func.argInfo, func.spDelta(pc)]
      }
    }
  },
}

const disassembler = await loadDisassembler()

/** A symbol file is a stranger's, too: compared with the program, then asked for names, places and instructions. */
const code: Target = {
  name: 'code',
  seeds: () => {
    const source = fixtureExecutable()
    const elf = openElf(source)
    const headers = [0, 4096] as const
    const text = elf.section('.text')!
    return [{ source, hot: [headers, ...tablesAt(source), [text.offset, text.offset + text.size]] }]
  },
  run: executable => {
    const own = openElf(fixtureExecutable())
    const compared = compareGoCode(own, openElf(executable), amd64, disassembler)
    if (compared.same) for (let addr = 0; addr < 1 << 24; addr += 4096) compared.translate(addr)
    readDebugLink(openElf(executable))
    const image = openProcessImage(openCoreFile(fixtureCore()), { executable, find: () => undefined })
    const start = image.executable?.elf.section('.text')
    const from = (start?.addr ?? 0) + (image.executable?.bias ?? 0)
    const names = new Code(image, openRuntime(image))
    const bytes = names.read(from, from + 4096)
    for (const syntax of ['go', 'intel', 'gnu'] as const)
      for (const instruction of disassembler.decode(bytes, from, syntax, 500))
        instructionText(instruction, syntax, addr => names.symbolAt(addr))
    names.findFunctions('main.main')
    names.addressesOf('main.go', 10)
    for (const thread of image.core.threads) thread.extended()
  },
}

export const symbolTargets: readonly Target[] = [pclntab, code]
