/**
 * Memory that is not the kernel's to give: pages of files whose file system is a program of somebody's (FUSE). Whoever reads
 * such a page waits for that program, which may never answer, beyond SIGKILL, and any user may have one. So the handler
 * reads none: neither arguments and environment that lie there, nor the memory itself, which is left to the kernel's stream,
 * where the crashed process waits for itself.
 */
import { closeSync, fstatSync } from 'node:fs'
import { openSystemCalls } from '../base/system-calls.ts'
import { kernelDevices, ownMounts, padded } from './mounts.ts'
import type { AddressRange, FileRange } from './proc-text.ts'

/** Of the ranges of files those that are on no file system of the kernel's, in order. */
export function foreignMemory(files: readonly FileRange[], mounts = ownMounts): readonly AddressRange[] {
  if (files.length === 0) return []
  const known = kernelDevices(mounts)
  const unknown = files.filter(({ device }) => !known.has(device))
  if (unknown.length === 0) return []
  const shared = sharedMemoryDevice()
  return unknown.filter(({ device }) => device !== shared)
}

/** Where the kernel keeps what has no file system: shared memory, memfd_create(2). It is mounted nowhere. */
function sharedMemoryDevice(): string | undefined {
  const fd = openSystemCalls()?.call('memfd_create', Buffer.from('\0'), 0) ?? -1
  if (fd < 0) return undefined
  try {
    const { dev } = fstatSync(fd)
    // The numbers of glibc's makedev(3).
    return padded(`${(dev >>> 8) & 0xfff}:${(dev & 0xff) | ((dev >>> 12) & 0xfff00)}`)
  } finally {
    closeSync(fd)
  }
}

/** The first of the ranges, which are in order, that ends behind `address`. */
export function nextRange(ranges: readonly AddressRange[], address: number): AddressRange | undefined {
  let [low, high] = [0, ranges.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ranges[middle]!.end > address) high = middle
    else low = middle + 1
  }
  return ranges[low]
}

/** Whether any of [start, end) is in one of the ranges, which are in order. */
export const touches = (ranges: readonly AddressRange[], start: number, end: number): boolean =>
  (nextRange(ranges, start)?.start ?? Number.POSITIVE_INFINITY) < end

/** Whether all of [start, end) is in the ranges, which are in order and may lie side by side. */
export function covers(ranges: readonly AddressRange[], start: number, end: number): boolean {
  let at = start
  for (const range of ranges) if (range.start <= at && at < range.end) at = range.end
  return at >= end
}
