/**
 * Entries of the journal with a MESSAGE_ID each (sd_journal_send(3), "Native Journal Protocol"): what watches a machine
 * finds them by it, whatever the words say. `gocore-sink(7)` lists the ids, which never change.
 */
import { escapeText } from '../../base/escape.ts'
import { libc } from '../libc.ts'
import { addressOf } from '../notify.ts'

/** Random, and each for one kind of entry alone. */
export const messageIds = {
  'crash-recorded': '820b9a1d683f4b61af4e0f45efd82f34',
  'crash-cut': 'da4e7e2ba16a405498b0481c7e91e557',
  'crash-without-core': 'e067ec8a770f4d07b81ff3c40250ff90',
  'analysis-done': 'afb7c85ce2aa4d01b8baff8f20a77fbf',
  'analysis-failed': 'e2c6ec4fe0ab4207a3236e4a2e072874',
  'spool-shipped': 'c9ff2b20c295465c8e459a09a3300fb9',
  'spool-stays': '76739cb3d4db4317b48834fdfd86e52c',
  'archive-silent': 'c5b77efbecda4f728ed67d9ca36d9b97',
  'archive-answers': '372ca112544f42079ecab6c648f897d7',
  'dump-deleted': '1d0970d8d45147c88c19d17a0775e828',
  'dump-shrunk': '7b34e61506404a989aa74cc123ac2648',
} as const

export type EventName = keyof typeof messageIds

/** Further fields, by names as GOCORE_SINK_ID. */
export type Fields = Readonly<Record<string, string | number | undefined>>

/** As syslog numbers them: what may have cost somebody a dump is a warning. */
const isWarning: Readonly<Partial<Record<EventName, true>>> = {
  'crash-cut': true,
  'crash-without-core': true,
  'analysis-failed': true,
  'spool-stays': true,
  'archive-silent': true,
}

export const levelOf = (event: EventName): 'info' | 'warning' => (isWarning[event] ? 'warning' : 'info')

const socketPath = '/run/systemd/journal/socket'
const mostText = 16 * 1024
const [AF_UNIX, SOCK_DGRAM, SOCK_CLOEXEC, SOCK_NONBLOCK, MSG_NOSIGNAL] = [1, 2, 0o2000000, 0o4000, 0x4000]

/** The bytes of one entry. */
export function journalEntry(priority: number, event: EventName, text: string, fields: Fields = {}): Buffer {
  const all: Fields = {
    MESSAGE: text,
    PRIORITY: priority,
    SYSLOG_IDENTIFIER: 'gocore-sink',
    MESSAGE_ID: messageIds[event],
    ...fields,
  }
  // escapeText leaves no newline, which would need the form with a length.
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${escapeText(String(value), mostText)}\n`],
  )
  return Buffer.from(lines.join(''))
}

/** For who has no log of their own: an entry in the journal, where there is one. */
export const noteInJournal = (event: EventName, text: string, fields?: Fields): void =>
  void sendToJournal(journalEntry(levelOf(event) === 'warning' ? 4 : 6, event, text, fields))

let socket = -1

/** Answers whether the journal took it. */
export function sendToJournal(entry: Buffer, path = socketPath): boolean {
  const functions = libc()
  const address = addressOf(path)
  if (!functions || !address) return false
  if (socket < 0) socket = Number(functions.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))
  if (socket < 0) return false
  const sent = functions.sendto(socket, entry, BigInt(entry.length), MSG_NOSIGNAL, address, address.length)
  return Number(sent) === entry.length
}
