/** Users of this machine. Node has no getpwnam; accounts that a crash recorder runs as stand in the files. */
import { readFileSync } from 'node:fs'

export interface Account {
  readonly uid: number
  readonly gid: number
}

/** The kernel's overflow id, which is nobody wherever there is such a user. */
const nobody: Account = { uid: 65534, gid: 65534 }

/** Whom a child becomes that root starts for this user: nobody where there is none, undefined where it stays who it is. */
export const accountFor = (user: string): Account | undefined =>
  process.geteuid?.() === 0 && user !== '' ? (findUser(user) ?? nobody) : undefined

/** The account of that name in passwd(5), or undefined. */
export function findUser(name: string, file = '/etc/passwd'): Account | undefined {
  const fields = findLine(name, file)
  const [uid, gid] = [Number(fields?.[2]), Number(fields?.[3])]
  return Number.isSafeInteger(uid) && Number.isSafeInteger(gid) ? { uid, gid } : undefined
}

function findLine(name: string, file: string): string[] | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  const lines = text.split('\n').map(line => line.split(':'))
  return lines.find(fields => fields[0] === name && fields.length >= 4 && fields[2] !== '')
}
