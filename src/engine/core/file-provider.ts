/** How the engine asks for the files that were mapped: it opens none itself. */
import type { ByteSource } from '../bytes/byte-source.ts'

export interface FileRequest {
  /** As the dumped process saw it, without ` (deleted)`. */
  readonly path: string
  /** GNU build id, lower-case hex, where the core shows it. */
  readonly buildId?: string
  /** Go build id, where the core shows it. */
  readonly goBuildId?: string
  readonly role: 'executable' | 'library'
}

export interface FileProvider {
  /** Given by the user: used as the executable whatever `find` would say. */
  readonly executable?: ByteSource
  find(request: FileRequest): ByteSource | undefined
}
