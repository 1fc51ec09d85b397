/** Where the engine's files come from: the user, the archive, this machine. */
import { existsSync, statSync } from 'node:fs'
import type { LocalStore } from '../archive/index.ts'
import type { Manifest } from '../archive/manifest.ts'
import { NotFoundError } from '../base/errors.ts'
import type { FileProvider } from '../engine/index.ts'
import { type OpenSource, openFile } from '../source/index.ts'

export interface Files extends FileProvider, Disposable {
  /** What was handed out: the file on this machine for each path of the process. */
  readonly found: ReadonlyMap<string, string>
}

/**
 * Looks for a file in this order: what the dump's own manifest says was stored for it, any binary of the archive with
 * the same build id, the path itself on this machine. The engine compares what it gets with the core.
 */
export function openFiles(options: {
  exe: string | undefined
  manifest: Manifest | undefined
  /** Called only where the archive is needed: a core file can be looked at on a machine without one. */
  store: () => LocalStore | undefined
}): Files {
  const { exe, manifest } = options
  const opened: OpenSource[] = []
  const found = new Map<string, string>()
  const open = (path: string, name = path): OpenSource => {
    const source = openFile(path)
    opened.push(source)
    found.set(name, path)
    return Object.defineProperty(source, 'name', { value: name })
  }
  if (exe !== undefined && !existsSync(exe)) throw new NotFoundError(`--exe: there is no file ${exe}.`)
  const stored = [...(manifest?.executable ? [manifest.executable] : []), ...(manifest?.libraries ?? [])]
  return {
    found,
    ...(exe === undefined ? {} : { executable: open(exe) }),
    find({ path, buildId }) {
      const store = options.store()
      const named = stored.find(b => b.path === path) ?? stored.find(b => buildId && b.build_id === buildId)
      const kept = named?.key === undefined ? undefined : store?.binaryPath(named.key)
      const same = kept ?? (buildId ? store?.binariesOfBuildId(buildId)[0] : undefined)
      if (same !== undefined) return open(same, path)
      // Devices and FIFOs stay closed; a path in a core is only what the core says.
      return statSync(path, { throwIfNoEntry: false })?.isFile() ? open(path) : undefined
    },
    [Symbol.dispose]() {
      for (const source of opened) source[Symbol.dispose]()
    },
  }
}
