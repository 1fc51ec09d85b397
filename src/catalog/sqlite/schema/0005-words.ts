/** From here on, what is not for all readers is left out of what is put in; the tables are as they were. */
export const words = ''
