/** What the daemon hands an encrypting child on its standard input; it answers with the encrypted file, see `ChildExit`. */
import type { Account } from './account.ts'

export interface EncryptionJob {
  /** Path of the stored core. */
  readonly core: string
  /** Public keys, age1… */
  readonly recipients: readonly string[]
  /** Whom to become once the core is open; absent: stay. */
  readonly become?: Account | undefined
}
