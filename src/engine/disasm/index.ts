export * from './go-syntax.ts'
export * from './instruction.ts'
