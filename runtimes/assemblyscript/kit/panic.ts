// Panics: the call ends, and the message is the host's error.

import { Level, ext_panic_handler_abort_on_panic_version_1, log, span } from "./host";

/** A message is cut to this many bytes. No heap is needed, so this works when there is none left. */
const LONGEST: u32 = 512;
const TEXT = memory.data(512);

/** Ends the call with exactly this message: for what is refused rather than wrong in the program. */
export function refuse(message: string): void {
  end(utf8(message, 0));
}

/**
 * The language's own: what a failed `assert`, an index out of bounds, or `throw` call. The compiler gets it by
 * `--use abort=kit/panic/panicked`. Ends the call with `panicked at FILE:LINE:COLUMN: message`, logged as an error first.
 */
export function panicked(message: string | null, file: string | null, line: u32, column: u32): void {
  let len = utf8("panicked at ", 0);
  len = utf8(file ? file : "an unknown place", len);
  len = number(line, utf8(":", len));
  len = number(column, utf8(":", len));
  len = utf8(": ", len);
  len = utf8(message ? message : "no message", len);
  log(Level.Error, "runtime", TEXT, len);
  end(len);
}

function end(len: u32): void {
  ext_panic_handler_abort_on_panic_version_1(span(TEXT, len));
  // The host does not come back.
  unreachable();
}

/** Adds a text in UTF-8 behind `len` bytes and returns their number then. */
function utf8(text: string, len: u32): u32 {
  // A character is three bytes at most: as many of them as surely fit.
  const fitting = min<i32>(text.length, i32(LONGEST - len) / 3);
  return len + u32(String.UTF8.encodeUnsafe(changetype<usize>(text), fitting, TEXT + len));
}

function number(value: u32, len: u32): u32 {
  let digits: u32 = 1;
  for (let rest = value / 10; rest; rest /= 10) digits++;
  if (len + digits > LONGEST) return len;
  for (let at = len + digits; at-- > len; value /= 10) store<u8>(TEXT + at, u8(48 + (value % 10)));
  return len + digits;
}
