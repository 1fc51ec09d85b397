/** Internet addresses: net.IP's bytes, net/netip's 128 bits with a zone. */

import { utf8 } from '../bytes/cursor.ts'
import type { Variable } from '../type/variable.ts'
import type { ValueContext } from './context.ts'
import { indexOf, lengthOf } from './element.ts'
import { dynamicOf } from './interface.ts'
import { member, memberInteger } from './member.ts'
import { readText } from './scalar.ts'

/** netip.Addr {addr uint128{hi, lo}, z}; z is the zone, or one of three marks: none, IPv4, IPv6 without zone. */
export function addrText(context: ValueContext, addr: Variable): string | undefined {
  const [hi, lo] = [memberInteger(context, addr, 'addr.hi'), memberInteger(context, addr, 'addr.lo')]
  // unique.Handle[addrDetail]{value *addrDetail} since Go 1.23, before *intern.Value.
  const mark = memberInteger(context, addr, 'z.value', 'z')
  if (hi === undefined || lo === undefined || mark === undefined) return undefined
  if (mark === 0n) return 'invalid'
  const detail = member(context, addr, 'z.value')
  const isV6 = detail && memberInteger(context, detail, 'isV6')
  const mapped = hi === 0n && lo >> 32n === 0xffffn
  // Before Go 1.23 the mark is an address without a meaning of its own: mapped addresses are IPv4's then.
  if (isV6 === undefined ? mapped : isV6 === 0n) return v4(lo)
  const held = member(context, addr, 'z.cmpVal')
  const zone = held ? dynamicOf(context, held) : detail && member(context, detail, 'zoneV6')
  const name = zone?.type.kind === 'string' ? utf8(readText(context, zone, 64).bytes) : ''
  return v6((hi << 64n) | lo) + (name === '' ? '' : `%${name}`)
}

export function addrPortText(context: ValueContext, pair: Variable): string | undefined {
  const [ip, port] = [member(context, pair, 'ip'), memberInteger(context, pair, 'port')]
  const text = ip && addrText(context, ip)
  if (text === undefined || port === undefined) return undefined
  return text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`
}

/** bitsPlusOne since Go 1.21, before `bits int16`. */
export function prefixText(context: ValueContext, prefix: Variable): string | undefined {
  const ip = member(context, prefix, 'ip')
  const plusOne = memberInteger(context, prefix, 'bitsPlusOne')
  const bits = plusOne === undefined ? memberInteger(context, prefix, 'bits') : plusOne - 1n
  const text = ip && addrText(context, ip)
  return text === undefined || bits === undefined ? undefined : `${text}/${bits}`
}

export function ipText(context: ValueContext, ip: Variable): string | undefined {
  const length = lengthOf(context, ip)
  if (length === 0) return undefined
  if (length !== 4 && length !== 16) return undefined
  const bytes = indexOf(context, ip, 0n).place.read(0, length)
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return length === 4 || value >> 32n === 0xffffn ? v4(value) : v6(value)
}

function v4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map(shift => (value >> shift) & 255n).join('.')
}

/** RFC 5952: the longest run of zeros is `::`. */
function v6(value: bigint): string {
  if (value >> 32n === 0xffffn) return `::ffff:${v4(value)}`
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16))
  let [start, length] = [0, 0]
  for (let i = 0; i < 8; i++) {
    let end = i
    while (groups[end] === '0') end++
    if (end - i > length) [start, length] = [i, end - i]
  }
  if (length < 2) return groups.join(':')
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`
}
