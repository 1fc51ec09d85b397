/**
 * RUN/daemon.sock: a handler that has stored a dump writes the dump's id and a newline, and does not wait. That somebody
 * listens is also how `doctor` and others see that the daemon runs.
 */
import { chmodSync, rmSync } from 'node:fs'
import { createConnection, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { idPattern } from '../archive/index.ts'
import { makePath } from '../base/directory.ts'
import { reasonOf, SystemError } from '../base/errors.ts'

export const socketPath = (run: string): string => join(run, 'daemon.sock')

const mostBytes = 64
const mostClients = 64
const patienceMs = 1000

/** The lock must be held: what lies at the path is then a dead daemon's, and is replaced. */
export async function listenForNudges(run: string, onNudge: (id: string) => void): Promise<AsyncDisposable> {
  const path = socketPath(run)
  const open = new Set<Socket>()
  const server = createServer(socket => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    hear(socket, onNudge)
  })
  server.maxConnections = mostClients
  try {
    makePath(run, 0o755)
    rmSync(path, { force: true })
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
    // Handlers are root's, and root passes anyhow; an id from anyone else would do no more than cause a look.
    chmodSync(path, 0o660)
  } catch (error) {
    throw new SystemError(`Cannot listen at ${path}: ${reasonOf(error)}`, { cause: error })
  }
  server.on('error', () => {})
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function hear(socket: Socket, onNudge: (id: string) => void): void {
  let text = ''
  const end = (): void => {
    const id = text.split('\n')[0]!.trim()
    text = ''
    if (idPattern.test(id)) onNudge(id)
    socket.destroy()
  }
  socket.setTimeout(patienceMs, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('end', end)
  socket.on('data', piece => {
    text += piece.toString('latin1')
    if (text.includes('\n') || text.length > mostBytes) end()
  })
}

/** Tells the daemon of dumps that it would not hear of by itself; answers whether there is one to hear it. */
export async function nudgeDaemon(run: string, ids: readonly string[]): Promise<boolean> {
  for (const id of ids) {
    const heard = await new Promise<boolean>(resolve => {
      const socket = createConnection(socketPath(run), () => socket.end(`${id}\n`, () => resolve(true)))
      socket.setTimeout(patienceMs, () => socket.destroy())
      socket.on('error', () => resolve(false)).on('close', () => resolve(false))
    })
    if (!heard) return false
  }
  return true
}
