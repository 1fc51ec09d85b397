/** Our own parts: the handler's files, the Node beneath, the daemon, the clock. */
import { statSync } from 'node:fs'
import { createConnection } from 'node:net'
import { dirname, join } from 'node:path'
import { validate } from 'node-cron'
import { reasonOf } from '../../base/errors.ts'
import { type Config, keys } from '../../config/index.ts'
import { requireRootOwned } from '../files.ts'
import { launcherVersion } from '../launcher.ts'
import { describePattern, socketPattern } from '../pattern.ts'
import { receiverNote } from '../service.ts'
import { tryProgram } from '../trial.ts'
import type { Finding } from './finding.ts'
import { type Host, lineOf } from './host.ts'

/** What the kernel would run as root: it must be there and record, and nobody else may be able to replace it. */
export function checkHandler(host: Host): Finding {
  const name = 'handler'
  const pattern = lineOf(host, '/proc/sys/kernel/core_pattern') ?? ''
  const { program, owner } = describePattern(pattern)
  if (pattern === socketPattern) return checkReceiver(host)
  if (owner !== 'gocore-sink' || program === undefined)
    return { name, status: 'skipped', what: 'No handler of ours is registered.' }
  const version = host.exists(program) ? launcherVersion(host.text(program) ?? '') : undefined
  if (version === undefined)
    return {
      name,
      status: 'problem',
      what: `${program} is not what install wrote.`,
      remedy: 'gocore-sink install',
    }
  return tried(name, version, [program, join(version, 'dist/handler.cjs')])
}

/** What is to be said of a version's directory, and of these files that belong to it. */
function tried(name: string, version: string, files: readonly string[]): Finding {
  const problem = { name, status: 'problem' } as const
  for (const path of [join(version, 'bin/node'), ...files])
    try {
      statSync(path)
      requireRootOwned(path)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EACCES') throw error
      const why = code === 'ENOENT' ? `${path} is not there` : reasonOf(error)
      return { ...problem, what: `The ${name}'s files: ${why}.`, remedy: 'gocore-sink install' }
    }
  try {
    tryProgram(version)
  } catch (error) {
    return {
      ...problem,
      what: `The handler does not record a crash that was made up for a trial: ${reasonOf(error)}.`,
      remedy: `remove ${version}, and install from where it came from`,
    }
  }
  return { name, status: 'ok', what: `${files[0]} records crashes, and its files are root's alone.` }
}

/** Where dumps come by the socket. */
function checkReceiver(host: Host): Finding {
  const name = 'receiver'
  const unit = 'gocore-sink-receiver.service'
  const state = host.output(['systemctl', 'show', '-P', 'ActiveState', unit])?.trim()
  if (state !== undefined && state !== 'active')
    return {
      name,
      status: 'problem',
      what: `The receiver of the socket is ${state}: whoever crashes waits for it.`,
      remedy: `systemctl start ${unit}; journalctl -u ${unit} says why it ended`,
    }
  if (host.exists(receiverNote))
    return {
      name,
      status: 'warning',
      what: 'The receiver runs in a sandbox that leaves it more to write: the archive did not answer when it was started.',
      remedy: 'gocore-sink install --socket, when the archive answers',
    }
  // What was removed, or is not to be seen, says nothing of the next one.
  const pid = host.output(['systemctl', 'show', '-P', 'MainPID', unit])?.trim()
  const node = host.link(`/proc/${pid}/exe`)
  if (node === undefined || !host.exists(node)) return { name, status: 'ok', what: 'The receiver runs.' }
  const version = dirname(dirname(node))
  return tried(name, version, [join(version, 'dist/receiver.js')])
}

export function checkNode(versions: string = process.versions.node): Finding {
  const name = 'node'
  const [major = 0, minor = 0] = versions.split('.').map(Number)
  if (major < 24 || (major === 24 && minor < 12))
    return {
      name,
      status: 'problem',
      what: `Node ${versions} is older than 24.12.`,
      remedy: 'gocore-sink install with a newer one',
    }
  return { name, status: 'ok', what: `Node ${versions}.` }
}

/** Asks the daemon's socket, which answers whoever started it. */
export async function checkDaemon(host: Host, config: Config): Promise<Finding> {
  const name = 'daemon'
  const socket = join(config.run, 'daemon.sock')
  const error = await connectError(socket)
  if (error === undefined) return { name, status: 'ok', what: 'The daemon runs.' }
  const systemd = host.exists('/run/systemd/system')
  const state = systemd
    ? host.output(['systemctl', 'show', '-P', 'ActiveState', 'gocore-sink.service'])?.trim()
    : undefined
  if (error === 'EACCES')
    return {
      name,
      status: 'skipped',
      what: `This user may not ask the daemon's socket ${socket}.`,
      remedy: 'run doctor as root',
    }
  return {
    name,
    status: 'problem',
    what: `The daemon does not run (${socket}: ${error}${state ? `; systemd says ${state}` : ''}): dumps are stored, but not analysed or listed.`,
    remedy: systemd
      ? 'systemctl start gocore-sink; journalctl -u gocore-sink says why it ended'
      : 'gocore-sink daemon',
  }
}

function connectError(path: string): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = createConnection({ path })
    const end = (answer: string | undefined): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1000, () => end('no answer'))
    socket.once('connect', () => end(undefined))
    socket.once('error', error => end(reasonOf(error)))
  })
}

/** Of a schedule's text the configuration knows only the shape: the handler, which reads it too, loads no package. */
export function checkSchedules(config: Config): Finding[] {
  const wrong = keys.filter(({ name, write }) => name.endsWith('Schedule') && !validate(write(config)))
  return wrong.map(({ name, write }) => ({
    name: 'schedule',
    status: 'problem',
    what: `${name}=${write(config)} is no cron expression: the daemon does not start with it.`,
    remedy: 'correct it in the configuration, gocore-sink.conf(5)',
  }))
}

/** A clock that is far off gives dumps days on which nobody looks for them. */
export function checkClock(host: Host, now: number = Date.now()): Finding {
  const name = 'clock'
  const built = statSync(process.execPath).mtimeMs
  if (now < built - 86_400_000)
    return {
      name,
      status: 'problem',
      what: `The clock says ${new Date(now).toISOString()}, before this program was made.`,
      remedy: 'set the clock (timedatectl, chronyc)',
    }
  if (host.exists('/run/systemd/timesync') && !host.exists('/run/systemd/timesync/synchronized'))
    return {
      name,
      status: 'note',
      what: 'systemd-timesyncd has not synchronised the clock yet.',
      remedy: 'timedatectl timesync-status',
    }
  return { name, status: 'ok', what: `The clock says ${new Date(now).toISOString().slice(0, 16)}Z.` }
}
