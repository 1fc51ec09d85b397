/** All recorded facts of a crash, in sections. */
import {
  formatHold,
  formatUnshrinkable,
  type Manifest,
  type Shrunk,
  type StoredBinary,
} from '../../archive/manifest.ts'
import type { Summary } from '../target.ts'
import { coreState } from './core-state.ts'
import { printable } from './escape.ts'
import type { Fact } from './facts.ts'
import { containerOf, shellWord, toolchainOf } from './program.ts'
import { formatSize, formatSpan, formatTime } from './units.ts'

export interface Section {
  readonly title: string
  readonly list: Fact[]
}

export function infoSections(
  { manifest, summary }: { manifest?: Manifest | undefined; summary?: Summary | undefined },
  label: string,
  all: boolean,
): Section[] {
  const sections: Section[] = []
  if (manifest) sections.push(dump(manifest), process(manifest, all), host(manifest))
  if (summary) sections.push(program(summary, all), death(summary))
  if (manifest) sections.push(storage(manifest))
  else if (summary) sections.unshift(file(summary, label), dumped(summary))
  return sections.filter(({ list }) => list.some(([, value]) => value !== undefined && value.length > 0))
}

function dump(m: Manifest): Section {
  return {
    title: `dump ${m.id}`,
    list: [
      ['Time', `${formatTime(Date.parse(m.time))} (${m.time})`],
      ['Signal', `${m.signal.name} (${m.signal.number})`],
      ['Core', coreState(m.core)],
      ['Held', m.held_ms > 0 ? `${formatSpan(m.held_ms)} until the process was released` : undefined],
      ['Recorded by', `gocore-sink ${m.tool.version}, Node ${m.tool.node}`],
      ['Imported from', m.imported_from],
      ['Notes', m.notes],
    ],
  }
}

function process(m: Manifest, all: boolean): Section {
  const p = m.process
  const environ = Object.entries(p.environ ?? {}).map(([name, value]) => `${name}=${shellWord(value)}`)
  return {
    title: 'process',
    list: [
      [
        'PID',
        `${p.pid}${p.tid !== undefined && p.tid !== p.pid ? `, thread ${p.tid}` : ''}${p.ppid === undefined ? '' : `, parent ${p.ppid}`}`,
      ],
      ['User', `uid ${p.uid}, gid ${p.gid}`],
      ['Thread name', p.comm],
      ['Executable', p.exe],
      ['Command', p.cmdline?.map(shellWord).join(' ')],
      ['Directory', p.cwd],
      ['Root', p.root === '/' ? undefined : p.root],
      ['Cgroup', p.cgroup?.trim().split('\n')],
      ['Container', containerOf(m)],
      ['Threads', p.threads === undefined ? undefined : String(p.threads)],
      ['Core limit', m.rlimit_core],
      ['Dumpable', m.dumpable === undefined ? undefined : String(m.dumpable)],
      ['Environment', environ],
      ['Open files', all ? p.open_files : few(p.open_files, 'open file')],
      ['Limits', all ? p.limits?.trimEnd().split('\n') : undefined],
      ['Status', all ? p.status?.trimEnd().split('\n') : undefined],
      ['Mappings', all ? p.mappings?.trimEnd().split('\n') : undefined],
    ],
  }
}

/** What a core file itself tells of its process. */
function dumped({ program: p }: Summary): Section {
  return {
    title: 'process',
    list: [
      ['PID', p.pid === undefined ? undefined : String(p.pid)],
      ['User', p.uid === undefined ? undefined : `uid ${p.uid}, gid ${p.gid ?? '?'}`],
      ['Command', p.args],
    ],
  }
}

function host(m: Manifest): Section {
  const h = m.host
  return {
    title: 'host',
    list: [
      ['Name', h.name],
      ['Kernel', h.kernel],
      ['Boot id', h.boot_id],
      ['Machine id', h.machine_id],
      ['In container', h.container_hostname],
    ],
  }
}

function program(summary: Summary, all: boolean): Section {
  const { program: p, go } = summary
  const modules = (go?.modules ?? []).map(({ path, version, replace }) => {
    const by = replace ? ` => ${replace.path} ${replace.version ?? ''}` : ''
    return `${path} ${version ?? ''}${by}`.trim()
  })
  const settings = Object.entries(go?.settings ?? {})
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${value}`)
  return {
    title: 'program',
    list: [
      ['Name', p.name],
      ['Path', p.path],
      ['Built', toolchainOf(summary)],
      ['Package', go?.path],
      ['Module', go?.main ? `${go.main.path} ${go.main.version ?? ''}`.trim() : undefined],
      ['Build id', p.buildId],
      ['Go build id', p.goBuildId],
      ['Settings', settings],
      ['Modules', all || modules.length <= 5 ? modules : few(modules, 'module')],
      ['GOMAXPROCS', go?.gomaxprocs === undefined ? undefined : String(go.gomaxprocs)],
      ['Goroutines', String(summary.goroutineCount)],
      [
        'Layout from',
        go && { dwarf: 'DWARF', table: 'the table of this Go version', guess: 'a guess' }[go.layout],
      ],
    ],
  }
}

function death(summary: Summary): Section {
  const { death: d, signature, warnings } = summary
  const code = d.signalCodeName ?? (d.signalCode === undefined ? undefined : String(d.signalCode))
  return {
    title: 'death',
    list: [
      ['Kind', d.kind],
      ['Message', d.message.trimEnd().split('\n')],
      ['Signal', d.signalName ? `${d.signalName}${code ? ` (${code})` : ''}` : undefined],
      ['Address', d.address],
      ['PC', d.pc],
      ['Goroutine', d.goroutine === undefined ? undefined : String(d.goroutine)],
      ['Thread', d.thread === undefined ? undefined : String(d.thread)],
      ['Signature', `${signature.key}  ${signature.text}`.trim().split('\n')],
      ['Warnings', warnings.map(({ message }) => printable(message))],
    ],
  }
}

function storage(m: Manifest): Section {
  const { core } = m
  const binary = (b: StoredBinary): string =>
    `${b.path}${b.size === undefined ? '' : `, ${formatSize(b.size)}`}${b.key === undefined ? ', not stored' : `, binaries/${b.key.slice(0, 2)}/${b.key}`}`
  return {
    title: 'storage',
    list: [
      [
        'Core',
        `${core.raw_size} bytes, ${core.stored_size} stored${core.expected_size === undefined ? '' : `, ${core.expected_size} promised by its headers`}`,
      ],
      ['Mini-core', core.shrunk && shrunkText(core.shrunk)],
      ['Kept whole', core.unshrinkable && formatUnshrinkable(core.unshrinkable)],
      ['Hold', m.hold && formatHold(m.hold)],
      ['Executable', m.executable && binary(m.executable)],
      ['Libraries', m.libraries.map(binary)],
    ],
  }
}

/** `of 361050112 bytes (31 MB stored), 2026-11-24: older than …`. */
const shrunkText = ({ raw_size, stored_size, time, reason }: Shrunk): string =>
  `of ${raw_size} bytes (${stored_size} stored), since ${time.slice(0, 10)}: ${reason}`

function file({ core }: Summary, label: string): Section {
  return {
    title: 'file',
    list: [
      ['Path', label],
      [
        'Size',
        `${core.size} bytes${core.complete ? '' : ` of ${core.expectedSize} promised by its headers`}`,
      ],
      ['From files', core.bytesFromFiles === undefined ? undefined : formatSize(core.bytesFromFiles)],
    ],
  }
}

const few = (list: readonly string[] | undefined, noun: string): string | undefined =>
  list && list.length > 0
    ? `${list.length} ${noun}${list.length === 1 ? '' : 's'} (--all lists them)`
    : undefined
