/** Tells the daemon of a new dump. It would find it by itself: a daemon that is down or slow costs nothing here. */
import { join } from 'node:path'

const mostMilliseconds = 100

export function nudgeDaemon(run: string, id: string): Promise<void> {
  return new Promise(resolve => {
    // Loaded here, after the crashed process is free.
    const socket = process.getBuiltinModule('node:net').connect({ path: join(run, 'daemon.sock') })
    const done = (): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve()
    }
    const timer = setTimeout(done, mostMilliseconds)
    socket.on('error', done)
    socket.on('connect', () => socket.end(`${id}\n`, done))
  })
}
