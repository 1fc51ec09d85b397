/** The compiled-in tables of a Go executable: build information, moduledata, pclntab with all that hangs on it. */
import { openCoreFile } from '../../src/engine/core/core-file.ts'
import { openProcessImage } from '../../src/engine/core/process-image.ts'
import { openElf } from '../../src/engine/elf/file.ts'
import { findBuildInfo } from '../../src/engine/gosym/buildinfo.ts'
import { findModules } from '../../src/engine/gosym/moduledata.ts'
import { findPclntab } from '../../src/engine/gosym/pclntab.ts'
import { openSymtab } from '../../src/engine/gosym/symtab.ts'
import { fixtureCore, fixtureExecutable } from './fixture.ts'
import type { Range } from './mutate.ts'
import type { Target } from './target.ts'

function tablesAt(): Range[] {
  const { sections } = openElf(fixtureExecutable())
  const names = /pclntab|buildinfo|go\.module|rodata|typelink|itab|data\.rel\.ro|noptrdata/
  return sections.filter(s => names.test(s.name)).map(s => [s.offset, s.offset + s.size] as const)
}

const pclntab: Target = {
  name: 'pclntab',
  seeds: () => {
    const source = fixtureExecutable()
    const at = openElf(source).section('.gopclntab')!
    return [{ source, hot: [...tablesAt(), [at.offset, at.offset + 4096], [at.offset, at.offset + at.size]] }]
  },
  run: executable => {
    const image = openProcessImage(openCoreFile(fixtureCore()), { executable, find: () => undefined })
    const { memory, executable: file } = image
    const header = file && findPclntab(file, memory)
    if (!file || !header) return
    findBuildInfo(file, memory)
    const symtab = openSymtab(memory, findModules(memory, header, file, 26))
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

export const symbolTargets: readonly Target[] = [pclntab]
