/** Core, program and build: what a report says before it comes to the crash. */
import type { ProcessImage } from '../core/process-image.ts'
import type { GoModule as EngineModule } from '../gosym/index.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { CoreFacts, GoFacts, GoModule, ProgramFacts } from './report.ts'

const etDyn = 3

export function coreFacts({ core, bytesFromCore, bytesFromFiles }: ProcessImage): CoreFacts {
  return {
    expectedSize: core.expectedSize,
    size: core.source.size,
    complete: core.complete,
    arch: core.arch.name,
    bytesFromCore,
    bytesFromFiles,
  }
}

export function programFacts(image: ProcessImage, runtime: Runtime | undefined): ProgramFacts {
  const { core, executable, executablePath } = image
  const path = executablePath ?? executable?.path
  const name = path
    ?.split('/')
    .at(-1)
    ?.replace(/ \(deleted\)$/, '')
  const elf = executable?.elf
  const { psinfo } = core
  return {
    name: name || psinfo?.fname || 'unknown',
    ...(path === undefined ? {} : { path }),
    ...(psinfo ? { args: psinfo.psargs, pid: psinfo.pid, uid: psinfo.uid, gid: psinfo.gid } : {}),
    ...(elf?.buildId ? { buildId: elf.buildId } : {}),
    ...(elf?.goBuildId ? { goBuildId: elf.goBuildId } : {}),
    ...(elf ? { stripped: strippedOf(image), pie: elf.header.type === etDyn } : {}),
    language: runtime ? 'go' : elf ? 'c' : 'unknown',
  }
}

function strippedOf({ executable }: ProcessImage): NonNullable<ProgramFacts['stripped']> {
  const has = (name: string): boolean => executable?.elf.section(name) !== undefined
  const [symbols, dwarf] = [has('.symtab'), has('.debug_info')]
  if (symbols) return dwarf ? 'none' : 'dwarf'
  return dwarf ? 'symbols' : 'both'
}

export function goFacts(runtime: Runtime): GoFacts {
  const { buildInfo, version, gomaxprocs, layoutSource } = runtime
  const settings = buildInfo?.settings ?? {}
  const vcs = vcsOf(settings)
  const { GOOS: os, GOARCH: arch } = settings
  return {
    version: buildInfo?.goVersion ?? version?.text ?? 'unknown',
    ...(os ? { os } : {}),
    ...(arch ? { arch } : {}),
    ...(buildInfo?.main ? { main: moduleOf(buildInfo.main) } : {}),
    ...(buildInfo?.path ? { path: buildInfo.path } : {}),
    ...(buildInfo && buildInfo.deps.length > 0 ? { modules: buildInfo.deps.map(moduleOf) } : {}),
    ...(Object.keys(settings).length > 0 ? { settings: { ...settings } } : {}),
    ...(vcs ? { vcs } : {}),
    ...(gomaxprocs > 0 ? { gomaxprocs } : {}),
    layout: layoutSource,
  }
}

function vcsOf(settings: Readonly<Record<string, string>>): GoFacts['vcs'] {
  const { vcs: system, 'vcs.revision': revision, 'vcs.time': time, 'vcs.modified': modified } = settings
  if (system === undefined && revision === undefined) return undefined
  return {
    ...(system === undefined ? {} : { system }),
    ...(revision === undefined ? {} : { revision }),
    ...(time === undefined ? {} : { time }),
    ...(modified === undefined ? {} : { modified: modified === 'true' }),
  }
}

function moduleOf({ path, version, sum, replace }: EngineModule): GoModule {
  return {
    path,
    ...(version ? { version } : {}),
    ...(sum ? { sum } : {}),
    ...(replace ? { replace: moduleOf(replace) } : {}),
  }
}
