/** What running processes would lose if they crashed now. */
import type { Config } from '../../config/index.ts'
import { type Finding, plural } from './finding.ts'
import type { Host } from './host.ts'
import { type Process, readProcess, readProcesses } from './processes.ts'

const mostShown = 8

/** Findings over all processes that can be seen. */
export function checkProcesses(host: Host, config: Config): Finding[] {
  const processes = readProcesses(host)
  return [
    checkLimits(processes, config),
    checkTraceback(processes),
    checkFilter(processes),
    checkSeen(processes),
  ]
}

function checkLimits(processes: readonly Process[], config: Config): Finding {
  const name = 'rlimit-core'
  // 1 is what crash handlers and their children have, ours among them.
  const limited = processes.filter(
    ({ coreLimit }) => coreLimit !== undefined && coreLimit < 4096 && coreLimit !== 1,
  )
  if (limited.length === 0) return { name, status: 'ok', what: 'No process has RLIMIT_CORE at 0.' }
  if (config.rlimitZero === 'store')
    return {
      name,
      status: 'ok',
      what: `${pluralProcesses(limited.length)} with RLIMIT_CORE at 0; RlimitZero=store keeps their dumps all the same.`,
    }
  // What runs for a login or by hand is one thing, a service that nobody watches another.
  const go = limited.filter(({ isGo }) => isGo)
  return {
    name,
    status: go.length > 0 ? 'warning' : 'note',
    what: `${pluralProcesses(limited.length)} ${limited.length === 1 ? 'has' : 'have'} RLIMIT_CORE at 0: of a crash only the fact is recorded, no core.`,
    remedy:
      'LimitCORE=infinity for the service (install sets the default for new ones), "ulimit -c unlimited" in a shell, or RlimitZero=store in gocore-sink.conf',
    detail: grouped(limited),
  }
}

function checkTraceback(processes: readonly Process[]): Finding {
  const name = 'gotraceback'
  const go = processes.filter(({ isGo }) => isGo)
  if (go.length === 0) return { name, status: 'ok', what: 'No Go program runs now.' }
  const without = go.filter(
    ({ gotraceback }) => gotraceback !== undefined && !/^(crash|wer)$/.test(gotraceback),
  )
  if (without.length === 0)
    return { name, status: 'ok', what: `${plural(go.length, 'Go program')} with GOTRACEBACK=crash.` }
  return {
    name,
    status: 'warning',
    what: `${plural(without.length, 'Go program')} without GOTRACEBACK=crash: a panic ends ${without.length === 1 ? 'it' : 'them'} with exit code 2 and no dump.`,
    remedy: 'Environment=GOTRACEBACK=crash in the service, or debug.SetTraceback("crash") in the program',
    detail: grouped(without),
  }
}

function checkFilter(processes: readonly Process[]): Finding {
  const name = 'coredump-filter'
  // Bit 0: private anonymous memory, where Go's heap and stacks are; bit 4: ELF headers, which name the build (core(5)).
  const poor = processes.filter(
    ({ coredumpFilter }) => coredumpFilter !== undefined && (coredumpFilter & 0x11) !== 0x11,
  )
  if (poor.length === 0) return { name, status: 'ok', what: 'Every process dumps its heap and ELF headers.' }
  return {
    name,
    status: 'warning',
    what: `${pluralProcesses(poor.length)} leave${poor.length === 1 ? 's' : ''} heap or ELF headers out of a dump.`,
    remedy: 'echo 0x33 > /proc/PID/coredump_filter, or CoredumpFilter=default in the service',
    detail: grouped(poor),
  }
}

function checkSeen(processes: readonly Process[]): Finding {
  const name = 'processes'
  const hidden = processes.filter(({ isGo, gotraceback }) => isGo === undefined || gotraceback === undefined)
  if (hidden.length === 0 || process.geteuid?.() === 0)
    return { name, status: 'ok', what: `${pluralProcesses(processes.length)} looked at.` }
  return {
    name,
    status: 'skipped',
    what: `${hidden.length} of ${processes.length} processes belong to others and were not looked into.`,
    remedy: 'run doctor as root',
  }
}

/** `nginx.service (4: 811, 812, …)`, most first. */
function grouped(processes: readonly Process[]): string[] {
  const groups = Map.groupBy(processes, ({ group }) => group)
  const sorted = [...groups].sort(([, a], [, b]) => b.length - a.length)
  const lines = sorted.slice(0, mostShown).map(([group, members]) => {
    const pids = members.slice(0, 4).map(({ pid }) => pid)
    return `${group} (${members.length > 4 ? `${members.length} processes: ${pids.join(', ')}, …` : pids.join(', ')})`
  })
  if (sorted.length > mostShown) lines.push(`and ${sorted.length - mostShown} more`)
  return lines
}

const pluralProcesses = (count: number): string => `${count} ${count === 1 ? 'process' : 'processes'}`

/** Everything about one process. */
export function checkOneProcess(host: Host, pid: number, config: Config): Finding[] {
  const process = readProcess(host, pid)
  if (process === undefined)
    return [
      { name: 'process', status: 'problem', what: `There is no process ${pid}, or it is the kernel's.` },
    ]
  const about: Finding = {
    name: 'process',
    status: 'ok',
    what: `${pid} is ${process.comm} of ${process.group}, ${process.isGo === undefined ? 'whose executable can not be read' : process.isGo ? 'a Go program' : 'not a Go program'}.`,
  }
  return [
    about,
    checkDumpable(process),
    checkLimits([process], config),
    ...(process.isGo ? [checkTraceback([process])] : []),
    checkFilter([process]),
  ]
}

function checkDumpable({ dumpable }: Process): Finding {
  const name = 'dumpable'
  if (dumpable === undefined)
    return {
      name,
      status: 'skipped',
      what: 'Whether the kernel lets it dump core is not to be seen from here.',
    }
  if (dumpable) return { name, status: 'ok', what: 'The kernel lets it dump core.' }
  return {
    name,
    status: 'warning',
    what: 'It is not dumpable: it changed users, has file capabilities, or asked for it by prctl. With suid_dumpable 0 it leaves nothing.',
    remedy: 'sysctl -w fs.suid_dumpable=2, or prctl(PR_SET_DUMPABLE, 1) in the program',
  }
}
