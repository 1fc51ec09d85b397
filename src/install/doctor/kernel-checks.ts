/** The kernel's settings, and who else writes them. */
import { basename } from 'node:path'
import { corePattern, describePattern, kernelVersion, socketPath, socketPattern } from '../pattern.ts'
import type { Finding } from './finding.ts'
import { type Host, lineOf } from './host.ts'

const setting = (host: Host, name: string): string | undefined => lineOf(host, `/proc/sys/kernel/${name}`)
const install = 'gocore-sink install'
const isSocket = (host: Host): boolean => setting(host, 'core_pattern')?.startsWith('@') === true

export function checkCorePattern(host: Host): Finding {
  const name = 'core-pattern'
  const pattern = setting(host, 'core_pattern')
  if (pattern === undefined)
    return { name, status: 'problem', what: 'core_pattern can not be read.', remedy: 'mount /proc' }
  const { program, owner } = describePattern(pattern)
  if (owner !== 'gocore-sink')
    return {
      name,
      status: 'problem',
      what: `core_pattern is ${JSON.stringify(pattern)}: dumps go to ${owner}, none to gocore-sink.`,
      remedy: install,
    }
  if (pattern === socketPattern)
    return host.exists(socketPath)
      ? { name, status: 'ok', what: `Dumps come by the socket ${socketPath}.` }
      : {
          name,
          status: 'problem',
          what: `core_pattern names the socket ${socketPath}, and nobody listens there: every dump is lost.`,
          remedy: 'systemctl start gocore-sink-receiver.socket',
        }
  if (!host.exists(program!))
    return {
      name,
      status: 'problem',
      what: `core_pattern names ${program}, which does not exist: every dump is lost.`,
      remedy: install,
    }
  const fields = pattern.slice(1 + program!.length).trim()
  const known = corePattern(program!, kernelVersion(lineOf(host, '/proc/sys/kernel/osrelease')))
  if (!known.startsWith(pattern) || !fields.startsWith('%P %u %g %s %t %c %e'))
    return {
      name,
      status: 'problem',
      what: `core_pattern passes the fields "${fields}", and the handler goes by their order: %P %u %g %s %t %c %e.`,
      remedy: `${install}; it writes ${known}`,
    }
  if (pattern !== known)
    return {
      name,
      status: 'note',
      what: `Dumps are piped to ${program}. This kernel knows more fields than core_pattern passes.`,
      remedy: `${install}; it writes ${known}`,
    }
  return { name, status: 'ok', what: `Dumps are piped to ${program}.` }
}

export function checkPipeLimit(host: Host): Finding {
  const name = 'core-pipe-limit'
  const limit = Number(setting(host, 'core_pipe_limit') ?? Number.NaN)
  if (isSocket(host)) return { name, status: 'ok', what: 'core_pipe_limit has no effect on a socket.' }
  if (Number.isNaN(limit)) return { name, status: 'skipped', what: 'This kernel has no core_pipe_limit.' }
  if (limit === 0)
    return {
      name,
      status: 'warning',
      what: 'core_pipe_limit is 0: the kernel does not wait for the handler, so /proc/PID can be gone before the executable is saved.',
      remedy: 'sysctl -w kernel.core_pipe_limit=1024',
    }
  if (limit < 4)
    return {
      name,
      status: 'warning',
      what: `core_pipe_limit is ${limit}: while so many dumps are written, further crashes leave only a kernel log line.`,
      remedy: 'sysctl -w kernel.core_pipe_limit=1024',
    }
  return { name, status: 'ok', what: `Up to ${limit} dumps at a time.` }
}

export function checkUsesPid(host: Host): Finding {
  const name = 'core-uses-pid'
  const uses = setting(host, 'core_uses_pid')
  const isPlain = /^[^|@]/.test(setting(host, 'core_pattern') ?? '|')
  if (!isPlain)
    return {
      name,
      status: 'ok',
      what: `core_uses_pid is ${uses ?? 'absent'}, without effect on a ${isSocket(host) ? 'socket' : 'pipe'}.`,
    }
  return uses === '1'
    ? { name, status: 'note', what: 'core_uses_pid is 1: files get .PID at their end.' }
    : {
        name,
        status: 'note',
        what: 'core_uses_pid is 0 and dumps are plain files: a new core overwrites the last.',
        remedy: install,
      }
}

export function checkSuidDumpable(host: Host): Finding {
  const name = 'suid-dumpable'
  switch (lineOf(host, '/proc/sys/fs/suid_dumpable')) {
    case '0':
      return {
        name,
        status: 'note',
        what: 'suid_dumpable is 0: programs that change users, or have file capabilities, leave no dump at all.',
        remedy: 'sysctl -w fs.suid_dumpable=2 (their dumps are kept for root alone)',
      }
    case '1':
      return {
        name,
        status: 'warning',
        what: "suid_dumpable is 1: memory of privileged programs is dumped as if it were the user's own.",
        remedy: 'sysctl -w fs.suid_dumpable=2',
      }
    case '2':
      return { name, status: 'ok', what: 'Privileged programs are dumped, for root alone.' }
    default:
      return { name, status: 'skipped', what: 'suid_dumpable can not be read.' }
  }
}

export function checkKernel(host: Host): Finding {
  const name = 'kernel'
  const text = lineOf(host, '/proc/sys/kernel/osrelease') ?? ''
  const [major, minor] = kernelVersion(text)
  const since = (a: number, b: number): boolean => major > a || (major === a && minor >= b)
  if (!since(5, 3))
    return {
      name,
      status: 'warning',
      what: `Linux ${text} splits core_pattern after expansion: a thread name with a space shifts the handler's fields.`,
      remedy: 'a kernel of 5.3 or newer',
    }
  if (!since(6, 16))
    return {
      name,
      status: 'note',
      what: `Linux ${text} has no %F (6.16): the handler tells a reused process id by its start time alone.`,
    }
  return { name, status: 'ok', what: `Linux ${text} passes a pidfd (%F).` }
}

/** The files that set core_pattern at boot, in the order in which systemd-sysctl reads them; the last one counts. */
export function checkBoot(host: Host): Finding {
  const name = 'boot'
  const files = new Map<string, string>()
  // A name in an earlier directory hides the same name in a later one, sysctl.d(5).
  for (const folder of ['/usr/lib/sysctl.d', '/usr/local/lib/sysctl.d', '/run/sysctl.d', '/etc/sysctl.d'])
    for (const file of host.names(folder)) if (file.endsWith('.conf')) files.set(file, `${folder}/${file}`)
  const ordered = [...files.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path)
  // procps and Debian's 99-sysctl.conf read this one last.
  if (!ordered.some(path => basename(path) === '99-sysctl.conf')) ordered.push('/etc/sysctl.conf')
  const setters = ordered.flatMap(path => {
    const lines = [...(host.text(path) ?? '').matchAll(/^\s*-?kernel[./]core_pattern\s*=\s*(.*?)\s*$/gm)]
    return lines.length === 0 ? [] : [{ path, pattern: lines.at(-1)![1]! }]
  })
  const last = setters.at(-1)
  if (last === undefined)
    return {
      name,
      status: 'warning',
      what: 'No sysctl.d file sets core_pattern: after the next boot dumps do not arrive.',
      remedy: install,
    }
  const { program, owner } = describePattern(last.pattern)
  if (program !== undefined && !host.exists(program))
    return {
      name,
      status: 'problem',
      what: `At the next boot ${last.path} sets core_pattern to ${program}, which does not exist: every dump is lost.`,
      remedy: `${install}, or remove the file ${last.path}`,
    }
  if (owner !== 'gocore-sink')
    return {
      name,
      status: 'warning',
      what: `At the next boot ${last.path} sets core_pattern to ${JSON.stringify(last.pattern)}.`,
      remedy: setters.length > 1 ? `remove that line, or the file ${last.path}` : install,
    }
  return { name, status: 'ok', what: `${last.path} sets core_pattern at boot.` }
}

/** Other recorders that take core_pattern back, at boot or at their next start. */
export function checkOthers(host: Host): Finding {
  const name = 'other-recorders'
  const rivals: string[] = []
  const remedies: string[] = []
  const apport = host.text('/etc/default/apport')
  if (host.exists('/usr/share/apport/apport') && !/^\s*enabled\s*=\s*0/m.test(apport ?? '')) {
    rivals.push('apport sets core_pattern whenever its service starts')
    remedies.push('systemctl disable --now apport.service, and enabled=0 in /etc/default/apport')
  }
  if (host.exists('/usr/sbin/abrtd') || host.exists('/usr/libexec/abrt-hook-ccpp')) {
    rivals.push('abrt-ccpp sets core_pattern whenever its service starts')
    remedies.push('systemctl disable --now abrt-ccpp.service')
  }
  const systemd =
    host.exists('/usr/lib/systemd/systemd-coredump') || host.exists('/lib/systemd/systemd-coredump')
  if (rivals.length > 0)
    return { name, status: 'warning', what: `${rivals.join('; ')}.`, remedy: remedies.join('; ') }
  if (systemd)
    return {
      name,
      status: 'note',
      what: 'systemd-coredump is installed. Its sysctl.d file (50) comes before ours (60), so it stays idle; coredumpctl lists no new dumps.',
    }
  return { name, status: 'ok', what: 'No other recorder is installed.' }
}
