;; What a module asks of a system, answered inside the module. `system.wasm` beside this file is its binary form; a test
;; compares them. `../system.rs` merges those functions that a module imports, and everything that they call.
;;
;; Nothing here depends on anything but the calls made: no clock, no randomness, no files.
;;
;; The scratch memory, from the address that `heapbase.scratch` gives. It lies far above the module's data, and is zero at
;; first: data there would make engines that map a module's data copy-on-write give up, and copy all of it for every call.
;;
;;   0x0000  the target of a log line
;;   0x0200  the line that is being written to standard output
;;   0x0600  the line that is being written to standard error
;;   0x0a00  what was written to standard error, or else is to be said, for the panic handler, up to 0x4a00
(module
  (import "env" "memory" (memory 1))
  (import "env" "ext_logging_log_version_1" (func $ext_logging_log_version_1 (param $level i32) (param $target i64) (param $message i64)))
  (import "env" "ext_panic_handler_abort_on_panic_version_1" (func $ext_panic_handler_abort_on_panic_version_1 (param $message i64)))
  ;; Constants that take the place of these calls.
  (import "heapbase" "scratch" (func $scratch (result i32)))
  (import "heapbase" "seed" (func $seed (result i64)))
  ;; Pages of the language's arena.
  (import "heapbase" "arena" (func $arena (result i32)))
  (import "heapbase" "environment_count" (func $environment_count (result i32)))
  (import "heapbase" "environment_size" (func $environment_size (result i32)))
  ;; Writes the environment, NAME=VALUE with a zero behind each.
  (import "heapbase" "environment" (func $environment (param $address i32)))

  ;; Bytes of the lines and of the text that are in use.
  (global $out_used (export "out_used") (mut i32) (i32.const 0))
  (global $err_used (export "err_used") (mut i32) (i32.const 0))
  (global $kept (export "kept") (mut i32) (i32.const 0))
  ;; Whether what is kept begins with the message of a failure.
  (global $failing (export "failing") (mut i32) (i32.const 0))
  ;; Pages that `memory.grow` was last asked for and did not give.
  (global $refused (export "refused") (mut i32) (i32.const 0))
  ;; Nanoseconds: a second, and what was slept. Go takes a clock at zero for a broken one.
  (global $clock (mut i64) (i64.const 1000000000))
  ;; How many times a random number was drawn.
  (global $drawn (mut i64) (i64.const 0))
  ;; The status with which the module left, plus one.
  (global $exited (export "exited") (mut i32) (i32.const 0))

  ;; --- Text ---

  ;; The host's form of a slice.
  (func $slice (param $address i32) (param $length i32) (result i64)
    (i64.or
      (i64.extend_i32_u (local.get $address))
      (i64.shl (i64.extend_i32_u (local.get $length)) (i64.const 32))))

  ;; The target of the log lines of the stream 1 or 2.
  (func $target (param $stream i32) (result i64)
    ;; "runtime:" and ":stdout" or ":stderr"
    (i64.store (call $scratch) (i64.const 0x3a656d69746e7572))
    (i64.store offset=8 (call $scratch)
      (select (i64.const 0x0074756f6474733a) (i64.const 0x007272656474733a) (i32.eq (local.get $stream) (i32.const 1))))
    (call $slice (call $scratch) (i32.const 15)))

  ;; Whether a byte begins a character, so that a line may be cut before it.
  (func $begins (param $byte i32) (result i32)
    (i32.ne (i32.and (local.get $byte) (i32.const 0xc0)) (i32.const 0x80)))

  ;; Hands the line of standard output to the host's log, at the level `info`.
  (func $flush_out
    (if (global.get $out_used) (then
      (call $ext_logging_log_version_1
        (i32.const 2)
        (call $target (i32.const 1))
        (call $slice (i32.add (call $scratch) (i32.const 0x200)) (global.get $out_used)))
      (global.set $out_used (i32.const 0)))))

  ;; Hands the line of standard error to the host's log, at the level `warn`; or `debug` when it tells of a failure, because the
  ;; panic handler gets all of that at once.
  (func $flush_err
    (if (global.get $err_used) (then
      (call $ext_logging_log_version_1
        (select (i32.const 3) (i32.const 1) (global.get $failing))
        (call $target (i32.const 2))
        (call $slice (i32.add (call $scratch) (i32.const 0x600)) (global.get $err_used)))
      (global.set $err_used (i32.const 0)))))

  ;; One byte to standard output.
  (func $put_out (param $byte i32)
    (if (i32.eq (local.get $byte) (i32.const 10)) (then (call $flush_out) (return)))
    (if (i32.ge_u (global.get $out_used) (i32.const 0x3f8)) (then
      (if (i32.or (call $begins (local.get $byte)) (i32.eq (global.get $out_used) (i32.const 0x400))) (then
        (call $flush_out)))))
    (i32.store8 offset=0x200 (i32.add (call $scratch) (global.get $out_used)) (local.get $byte))
    (global.set $out_used (i32.add (global.get $out_used) (i32.const 1))))

  ;; Keeps a byte for the panic handler. When there is no more room, the beginning of a failure's message is kept, and
  ;; anything else is forgotten.
  (func $keep (param $byte i32)
    (if (i32.ge_u (global.get $kept) (i32.const 0x3ff8)) (then
      (if (i32.or (call $begins (local.get $byte)) (i32.eq (global.get $kept) (i32.const 0x4000))) (then
        (if (global.get $failing) (then (return)))
        (global.set $kept (i32.const 0))))))
    (i32.store8 offset=0xa00 (i32.add (call $scratch) (global.get $kept)) (local.get $byte))
    (global.set $kept (i32.add (global.get $kept) (i32.const 1))))

  ;; One byte to standard error.
  (func $put_err (param $byte i32) (local $begin i64)
    (call $keep (local.get $byte))
    (if (i32.eq (local.get $byte) (i32.const 10)) (then (call $flush_err) (return)))
    (if (i32.ge_u (global.get $err_used) (i32.const 0x3f8)) (then
      (if (i32.or (call $begins (local.get $byte)) (i32.eq (global.get $err_used) (i32.const 0x400))) (then
        (call $flush_err)))))
    (i32.store8 offset=0x600 (i32.add (call $scratch) (global.get $err_used)) (local.get $byte))
    (global.set $err_used (i32.add (global.get $err_used) (i32.const 1)))
    ;; The eight bytes with which Go's messages of failures begin: from there on, text is kept for the panic handler.
    (if (i32.and (i32.eq (global.get $err_used) (i32.const 8)) (i32.eqz (global.get $failing))) (then
      (local.set $begin (i64.load offset=0x600 (call $scratch)))
      (if (i32.or
            (i32.or
              ;; "panic: "
              (i64.eq (i64.and (local.get $begin) (i64.const 0x00ffffffffffffff)) (i64.const 0x00203a63696e6170))
              ;; "fatal er"
              (i64.eq (local.get $begin) (i64.const 0x7265206c61746166)))
            ;; "runtime:"
            (i64.eq (local.get $begin) (i64.const 0x3a656d69746e7572)))
        (then
          (global.set $failing (i32.const 1))
          (i64.store offset=0xa00 (call $scratch) (local.get $begin))
          (global.set $kept (i32.const 8)))))))

  ;; One byte to the stream 1 or 2.
  (func $put (param $stream i32) (param $byte i32)
    (if (i32.eq (local.get $stream) (i32.const 1))
      (then (call $put_out (local.get $byte)))
      (else (call $put_err (local.get $byte)))))

  ;; At most eight bytes of text to the stream 1 or 2, the first in the lowest bits.
  (func $put_text (param $stream i32) (param $text i64)
    (loop $next
      (call $put (local.get $stream) (i32.wrap_i64 (i64.and (local.get $text) (i64.const 0xff))))
      (br_if $next (i64.ne (local.tee $text (i64.shr_u (local.get $text) (i64.const 8))) (i64.const 0)))))

  ;; Text to the stream 1 or 2.
  (func $write (param $stream i32) (param $address i32) (param $length i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $length)))
        (call $put (local.get $stream) (i32.load8_u (local.get $address)))
        (local.set $address (i32.add (local.get $address) (i32.const 1)))
        (local.set $length (i32.sub (local.get $length) (i32.const 1)))
        (br $next))))

  ;; Makes what is kept into UTF-8, which hosts insist on: a `?` for every byte that is none.
  (func $clean (local $at i32) (local $end i32) (local $byte i32) (local $follow i32) (local $next i32)
    (local.set $at (i32.add (call $scratch) (i32.const 0xa00)))
    (local.set $end (i32.add (local.get $at) (global.get $kept)))
    (block $done
      (loop $character
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $byte (i32.load8_u (local.get $at)))
        (local.set $follow (i32.const 0))
        (block $right
          (br_if $right (i32.lt_u (local.get $byte) (i32.const 0x80)))
          (block $wrong
            ;; How many bytes follow; none may begin with 0x80..0xc1 or 0xf5..0xff.
            (br_if $wrong (i32.lt_u (local.get $byte) (i32.const 0xc2)))
            (br_if $wrong (i32.gt_u (local.get $byte) (i32.const 0xf4)))
            (local.set $follow
              (i32.add (i32.const 1)
                (i32.add (i32.ge_u (local.get $byte) (i32.const 0xe0)) (i32.ge_u (local.get $byte) (i32.const 0xf0)))))
            (br_if $wrong (i32.gt_u (i32.add (local.get $at) (local.get $follow)) (i32.sub (local.get $end) (i32.const 1))))
            ;; Overlong forms, surrogates, and what lies past the last character, are told by the second byte.
            (local.set $next (i32.load8_u offset=1 (local.get $at)))
            (br_if $wrong (i32.and (i32.eq (local.get $byte) (i32.const 0xe0)) (i32.lt_u (local.get $next) (i32.const 0xa0))))
            (br_if $wrong (i32.and (i32.eq (local.get $byte) (i32.const 0xed)) (i32.gt_u (local.get $next) (i32.const 0x9f))))
            (br_if $wrong (i32.and (i32.eq (local.get $byte) (i32.const 0xf0)) (i32.lt_u (local.get $next) (i32.const 0x90))))
            (br_if $wrong (i32.and (i32.eq (local.get $byte) (i32.const 0xf4)) (i32.gt_u (local.get $next) (i32.const 0x8f))))
            (local.set $next (local.get $follow))
            (loop $tail
              (br_if $wrong (call $begins (i32.load8_u (i32.add (local.get $at) (local.get $next)))))
              (local.set $next (i32.sub (local.get $next) (i32.const 1)))
              (br_if $tail (local.get $next)))
            (br $right))
          (i32.store8 (local.get $at) (i32.const 0x3f))
          (local.set $follow (i32.const 0)))
        (local.set $at (i32.add (i32.add (local.get $at) (local.get $follow)) (i32.const 1)))
        (br $character))))

  ;; At most eight bytes of text for the panic handler alone, the first in the lowest bits.
  (func $keep_text (param $text i64)
    (loop $next
      (call $keep (i32.wrap_i64 (i64.and (local.get $text) (i64.const 0xff))))
      (br_if $next (i64.ne (local.tee $text (i64.shr_u (local.get $text) (i64.const 8))) (i64.const 0)))))

  ;; A number in decimal digits for the panic handler alone.
  (func $keep_number (param $number i32)
    (if (i32.ge_u (local.get $number) (i32.const 10)) (then
      (call $keep_number (i32.div_u (local.get $number) (i32.const 10)))))
    (call $keep (i32.add (i32.const 0x30) (i32.rem_u (local.get $number) (i32.const 10)))))

  ;; What `memory.grow` did not give. Most languages end in `unreachable` then, without a word.
  (func (export "heapbase.refuse") (param $pages i32)
    (global.set $refused (local.get $pages)))

  ;; "out of memory: the arena of M pages of 64 KiB cannot give N more"
  (func $keep_out_of_memory
    (call $keep_text (i64.const 0x6d20666f2074756f))
    (call $keep_text (i64.const 0x74203a79726f6d65))
    (call $keep_text (i64.const 0x616e657261206568))
    (call $keep_text (i64.const 0x20666f20))
    (call $keep_number (call $arena))
    (call $keep_text (i64.const 0x6f20736567617020))
    (call $keep_text (i64.const 0x42694b2034362066))
    (call $keep_text (i64.const 0x20746f6e6e616320))
    (call $keep_text (i64.const 0x2065766967))
    (call $keep_number (global.get $refused))
    (call $keep_text (i64.const 0x65726f6d20)))

  ;; Hands what was written to standard error to the host's panic handler, which ends the call; where nothing was, that there was
  ;; no memory, if so. Returns if there is nothing to say, or if the host goes on all the same.
  (func $abort (export "heapbase.abort")
    (block $trimmed
      (loop $trim
        (br_if $trimmed (i32.eqz (global.get $kept)))
        (br_if $trimmed (i32.ne (i32.load8_u offset=0x9ff (i32.add (call $scratch) (global.get $kept))) (i32.const 10)))
        (global.set $kept (i32.sub (global.get $kept) (i32.const 1)))
        (br $trim)))
    (if (i32.and (i32.eqz (global.get $kept)) (i32.ne (global.get $refused) (i32.const 0))) (then
      (call $keep_out_of_memory)))
    (if (global.get $kept) (then
      (call $clean)
      (call $ext_panic_handler_abort_on_panic_version_1
        (call $slice (i32.add (call $scratch) (i32.const 0xa00)) (global.get $kept))))))

  ;; A number in decimal digits to the stream 1 or 2.
  (func $write_number (param $stream i32) (param $number i32)
    (if (i32.ge_u (local.get $number) (i32.const 10)) (then
      (call $write_number (local.get $stream) (i32.div_u (local.get $number) (i32.const 10)))))
    (call $put (local.get $stream) (i32.add (i32.const 0x30) (i32.rem_u (local.get $number) (i32.const 10)))))

  ;; --- WASI preview 1. Errors: 0 none, 8 no such descriptor, 28 bad argument, 70 cannot seek. ---

  (func (export "wasi_snapshot_preview1.args_sizes_get") (param $count i32) (param $size i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $size) (i32.const 0))
    (i32.const 0))

  (func (export "wasi_snapshot_preview1.args_get") (param $list i32) (param $text i32) (result i32)
    (i32.const 0))

  (func (export "wasi_snapshot_preview1.environ_sizes_get") (param $count i32) (param $size i32) (result i32)
    (i32.store (local.get $count) (call $environment_count))
    (i32.store (local.get $size) (call $environment_size))
    (i32.const 0))

  (func (export "wasi_snapshot_preview1.environ_get") (param $list i32) (param $text i32) (result i32)
    (local $end i32) (local $begins i32)
    (call $environment (local.get $text))
    (local.set $end (i32.add (local.get $text) (call $environment_size)))
    (local.set $begins (i32.const 1))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $text) (local.get $end)))
        (if (local.get $begins) (then
          (i32.store (local.get $list) (local.get $text))
          (local.set $list (i32.add (local.get $list) (i32.const 4)))))
        (local.set $begins (i32.eqz (i32.load8_u (local.get $text))))
        (local.set $text (i32.add (local.get $text) (i32.const 1)))
        (br $next)))
    (i32.const 0))

  (func (export "wasi_snapshot_preview1.clock_res_get") (param $clock i32) (param $resolution i32) (result i32)
    (if (i32.gt_u (local.get $clock) (i32.const 3)) (then (return (i32.const 28))))
    (i64.store (local.get $resolution) (i64.const 1))
    (i32.const 0))

  (func (export "wasi_snapshot_preview1.clock_time_get") (param $clock i32) (param $precision i64) (param $time i32) (result i32)
    (if (i32.gt_u (local.get $clock) (i32.const 3)) (then (return (i32.const 28))))
    (i64.store (local.get $time) (global.get $clock))
    (i32.const 0))

  ;; When a subscription to a clock is due.
  (func $due (param $subscription i32) (result i64) (local $time i64)
    (local.set $time (i64.load offset=24 (local.get $subscription)))
    (if (i32.eqz (i32.and (i32.load16_u offset=40 (local.get $subscription)) (i32.const 1))) (then
      (local.set $time (i64.add (local.get $time) (global.get $clock)))
      ;; Past the end of time is its end.
      (if (i64.lt_u (local.get $time) (global.get $clock)) (then (local.set $time (i64.const -1))))))
    (local.get $time))

  ;; Descriptors are ready at once; where there are none, the clock is put forward to the first time that is waited for.
  (func (export "wasi_snapshot_preview1.poll_oneoff") (param $in i32) (param $out i32) (param $count i32) (param $events i32) (result i32)
    (local $left i32) (local $at i32) (local $tag i32) (local $descriptors i32) (local $first i64) (local $stored i32)
    (if (i32.eqz (local.get $count)) (then (return (i32.const 28))))
    (local.set $first (i64.const -1))
    (local.set $left (local.get $count))
    (local.set $at (local.get $in))
    (loop $look
      (local.set $tag (i32.load8_u offset=8 (local.get $at)))
      (if (i32.gt_u (local.get $tag) (i32.const 2)) (then (return (i32.const 28))))
      (if (local.get $tag)
        (then (local.set $descriptors (i32.const 1)))
        (else
          (if (i64.lt_u (call $due (local.get $at)) (local.get $first)) (then
            (local.set $first (call $due (local.get $at)))))))
      (local.set $at (i32.add (local.get $at) (i32.const 48)))
      (br_if $look (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (local.set $left (local.get $count))
    (local.set $at (local.get $in))
    (loop $answer
      (local.set $tag (i32.load8_u offset=8 (local.get $at)))
      (block $skip
        ;; A clock that is not due, or not the first where nothing else is ready.
        (if (i32.eqz (local.get $tag)) (then
          (if (local.get $descriptors)
            (then (br_if $skip (i64.gt_u (call $due (local.get $at)) (global.get $clock))))
            (else (br_if $skip (i64.gt_u (call $due (local.get $at)) (local.get $first)))))))
        (i64.store (local.get $out) (i64.load (local.get $at)))
        (i64.store offset=8 (local.get $out) (i64.const 0))
        (i64.store offset=16 (local.get $out) (i64.const 0))
        (i64.store offset=24 (local.get $out) (i64.const 0))
        (i32.store8 offset=10 (local.get $out) (local.get $tag))
        (if (local.get $tag) (then
          (if (i32.gt_u (i32.load offset=16 (local.get $at)) (i32.const 2))
            (then (i32.store16 offset=8 (local.get $out) (i32.const 8)))
            (else
              (if (i32.eq (local.get $tag) (i32.const 2))
                (then (i64.store offset=16 (local.get $out) (i64.const 65536)))
                ;; Nothing will ever come: the other side hung up.
                (else (i32.store16 offset=24 (local.get $out) (i32.const 1))))))))
        (local.set $out (i32.add (local.get $out) (i32.const 32)))
        (local.set $stored (i32.add (local.get $stored) (i32.const 1))))
      (local.set $at (i32.add (local.get $at) (i32.const 48)))
      (br_if $answer (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    ;; Only now, since what is due was reckoned from the time before.
    (if (i32.eqz (local.get $descriptors)) (then
      (if (i64.gt_u (local.get $first) (global.get $clock)) (then (global.set $clock (local.get $first))))))
    (i32.store (local.get $events) (local.get $stored))
    (i32.const 0))

  (func (export "wasi_snapshot_preview1.sched_yield") (result i32) (i32.const 0))

  (func (export "wasi_snapshot_preview1.fd_write") (param $fd i32) (param $parts i32) (param $count i32) (param $written i32) (result i32)
    (local $total i32)
    (if (i32.gt_u (i32.sub (local.get $fd) (i32.const 1)) (i32.const 1)) (then (return (i32.const 8))))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (call $write (local.get $fd) (i32.load (local.get $parts)) (i32.load offset=4 (local.get $parts)))
        (local.set $total (i32.add (local.get $total) (i32.load offset=4 (local.get $parts))))
        (local.set $parts (i32.add (local.get $parts) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $written) (local.get $total))
    (i32.const 0))

  ;; Standard input is at its end.
  (func (export "wasi_snapshot_preview1.fd_read") (param $fd i32) (param $parts i32) (param $count i32) (param $read i32) (result i32)
    (if (local.get $fd) (then (return (i32.const 8))))
    (i32.store (local.get $read) (i32.const 0))
    (i32.const 0))

  (func $known (param $fd i32) (result i32)
    (select (i32.const 8) (i32.const 0) (i32.gt_u (local.get $fd) (i32.const 2))))

  (func (export "wasi_snapshot_preview1.fd_close") (param $fd i32) (result i32) (call $known (local.get $fd)))
  (func (export "wasi_snapshot_preview1.fd_sync") (param $fd i32) (result i32) (call $known (local.get $fd)))
  (func (export "wasi_snapshot_preview1.fd_datasync") (param $fd i32) (result i32) (call $known (local.get $fd)))
  (func (export "wasi_snapshot_preview1.fd_fdstat_set_flags") (param $fd i32) (param $flags i32) (result i32)
    (call $known (local.get $fd)))

  ;; A terminal: then C writes by the line, and not at an exit that never comes.
  (func (export "wasi_snapshot_preview1.fd_fdstat_get") (param $fd i32) (param $stat i32) (result i32)
    (if (call $known (local.get $fd)) (then (return (i32.const 8))))
    (i64.store (local.get $stat) (i64.const 2))
    (i64.store offset=8 (local.get $stat) (select (i64.const 64) (i64.const 2) (local.get $fd)))
    (i64.store offset=16 (local.get $stat) (i64.const 0))
    (i32.const 0))

  (func (export "wasi_snapshot_preview1.fd_filestat_get") (param $fd i32) (param $stat i32) (result i32)
    (if (call $known (local.get $fd)) (then (return (i32.const 8))))
    (i64.store (local.get $stat) (i64.const 0))
    (i64.store offset=8 (local.get $stat) (i64.const 0))
    (i64.store offset=16 (local.get $stat) (i64.const 2))
    (i64.store offset=24 (local.get $stat) (i64.const 1))
    (i64.store offset=32 (local.get $stat) (i64.const 0))
    (i64.store offset=40 (local.get $stat) (i64.const 0))
    (i64.store offset=48 (local.get $stat) (i64.const 0))
    (i64.store offset=56 (local.get $stat) (i64.const 0))
    (i32.const 0))

  (func (export "wasi_snapshot_preview1.fd_seek") (param $fd i32) (param $offset i64) (param $whence i32) (param $place i32) (result i32)
    (select (i32.const 8) (i32.const 70) (i32.gt_u (local.get $fd) (i32.const 2))))
  (func (export "wasi_snapshot_preview1.fd_tell") (param $fd i32) (param $place i32) (result i32)
    (select (i32.const 8) (i32.const 70) (i32.gt_u (local.get $fd) (i32.const 2))))

  ;; SplitMix64: a counter times an odd constant, and a mixing of its bits.
  (func $random (result i64) (local $z i64)
    (global.set $drawn (i64.add (global.get $drawn) (i64.const 1)))
    (local.set $z (i64.add (call $seed) (i64.mul (global.get $drawn) (i64.const 0x9e3779b97f4a7c15))))
    (local.set $z (i64.mul (i64.xor (local.get $z) (i64.shr_u (local.get $z) (i64.const 30))) (i64.const 0xbf58476d1ce4e5b9)))
    (local.set $z (i64.mul (i64.xor (local.get $z) (i64.shr_u (local.get $z) (i64.const 27))) (i64.const 0x94d049bb133111eb)))
    (i64.xor (local.get $z) (i64.shr_u (local.get $z) (i64.const 31))))

  (func (export "wasi_snapshot_preview1.random_get") (param $address i32) (param $length i32) (result i32) (local $bits i64)
    (block $done
      (loop $next
        (br_if $done (i32.lt_u (local.get $length) (i32.const 8)))
        (i64.store align=1 (local.get $address) (call $random))
        (local.set $address (i32.add (local.get $address) (i32.const 8)))
        (local.set $length (i32.sub (local.get $length) (i32.const 8)))
        (br $next)))
    (if (local.get $length) (then
      (local.set $bits (call $random))
      (loop $byte
        (i64.store8 (local.get $address) (local.get $bits))
        (local.set $bits (i64.shr_u (local.get $bits) (i64.const 8)))
        (local.set $address (i32.add (local.get $address) (i32.const 1)))
        (br_if $byte (local.tee $length (i32.sub (local.get $length) (i32.const 1)))))))
    (i32.const 0))

  ;; The status goes to the log, and to the panic handler unless there is more to say.
  (func $exit (export "wasi_snapshot_preview1.proc_exit") (param $status i32) (local $text i32)
    (global.set $exited (i32.add (local.get $status) (i32.const 1)))
    (call $flush_out)
    (call $flush_err)
    (local.set $text (global.get $kept))
    ;; "exited with status "
    (call $put_text (i32.const 2) (i64.const 0x7720646574697865))
    (call $put_text (i32.const 2) (i64.const 0x7461747320687469))
    (call $put_text (i32.const 2) (i64.const 0x207375))
    (call $write_number (i32.const 2) (local.get $status))
    (call $put_err (i32.const 10))
    (if (local.get $text) (then
      (if (i32.lt_u (local.get $text) (global.get $kept)) (then (global.set $kept (local.get $text))))))
    (call $abort)
    (unreachable))

  ;; --- AssemblyScript. Strings are UTF-16, with their length in bytes before them. ---

  ;; One character to the stream 1 or 2, as UTF-8.
  (func $put_character (param $stream i32) (param $code i32)
    (if (i32.lt_u (local.get $code) (i32.const 0x80)) (then
      (call $put (local.get $stream) (local.get $code)) (return)))
    (if (i32.lt_u (local.get $code) (i32.const 0x800))
      (then
        (call $put (local.get $stream) (i32.or (i32.const 0xc0) (i32.shr_u (local.get $code) (i32.const 6)))))
      (else
        (if (i32.lt_u (local.get $code) (i32.const 0x10000))
          (then
            (call $put (local.get $stream) (i32.or (i32.const 0xe0) (i32.shr_u (local.get $code) (i32.const 12)))))
          (else
            (call $put (local.get $stream) (i32.or (i32.const 0xf0) (i32.shr_u (local.get $code) (i32.const 18))))
            (call $put (local.get $stream)
              (i32.or (i32.const 0x80) (i32.and (i32.shr_u (local.get $code) (i32.const 12)) (i32.const 0x3f))))))
        (call $put (local.get $stream)
          (i32.or (i32.const 0x80) (i32.and (i32.shr_u (local.get $code) (i32.const 6)) (i32.const 0x3f))))))
    (call $put (local.get $stream) (i32.or (i32.const 0x80) (i32.and (local.get $code) (i32.const 0x3f)))))

  ;; A string to the stream 1 or 2; nothing for null. Halves of a pair that stand alone become U+FFFD.
  (func $write_string (param $stream i32) (param $string i32) (local $left i32) (local $code i32) (local $low i32)
    (if (i32.lt_u (local.get $string) (i32.const 4)) (then (return)))
    (local.set $left (i32.shr_u (i32.load (i32.sub (local.get $string) (i32.const 4))) (i32.const 1)))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $left)))
        (local.set $code (i32.load16_u (local.get $string)))
        (local.set $string (i32.add (local.get $string) (i32.const 2)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (if (i32.eq (i32.and (local.get $code) (i32.const 0xf800)) (i32.const 0xd800)) (then
          (local.set $low (i32.const 0))
          (if (local.get $left) (then (local.set $low (i32.load16_u (local.get $string)))))
          (if (i32.and
                (i32.lt_u (local.get $code) (i32.const 0xdc00))
                (i32.eq (i32.and (local.get $low) (i32.const 0xfc00)) (i32.const 0xdc00)))
            (then
              (local.set $code
                (i32.add (i32.const 0x10000)
                  (i32.or
                    (i32.shl (i32.and (local.get $code) (i32.const 0x3ff)) (i32.const 10))
                    (i32.and (local.get $low) (i32.const 0x3ff)))))
              (local.set $string (i32.add (local.get $string) (i32.const 2)))
              (local.set $left (i32.sub (local.get $left) (i32.const 1))))
            (else (local.set $code (i32.const 0xfffd))))))
        (call $put_character (local.get $stream) (local.get $code))
        (br $next))))

  ;; "abort: message at file:line:column"
  (func (export "env.abort") (param $message i32) (param $file i32) (param $line i32) (param $column i32)
    (call $flush_err)
    (global.set $kept (i32.const 0))
    (global.set $failing (i32.const 1))
    (call $put_text (i32.const 2) (i64.const 0x74726f6261))
    (if (local.get $message) (then
      (call $put_text (i32.const 2) (i64.const 0x203a))
      (call $write_string (i32.const 2) (local.get $message))))
    (if (local.get $file) (then
      (call $put_text (i32.const 2) (i64.const 0x20746120))
      (call $write_string (i32.const 2) (local.get $file))
      (call $put_err (i32.const 0x3a))
      (call $write_number (i32.const 2) (local.get $line))
      (call $put_err (i32.const 0x3a))
      (call $write_number (i32.const 2) (local.get $column))))
    (call $put_err (i32.const 10))
    (call $abort)
    (unreachable))

  ;; The message; the numbers that may follow are left out.
  (func (export "env.trace") (param $message i32) (param $count i32) (param f64 f64 f64 f64 f64)
    (call $write_string (i32.const 1) (local.get $message))
    (call $put_out (i32.const 10)))

  (func $log_string (param $string i32)
    (call $write_string (i32.const 1) (local.get $string))
    (call $put_out (i32.const 10)))
  (export "env.console.log" (func $log_string))
  (export "env.console.info" (func $log_string))
  (export "env.console.debug" (func $log_string))

  (func $warn_string (param $string i32)
    (call $write_string (i32.const 2) (local.get $string))
    (call $put_err (i32.const 10)))
  (export "env.console.warn" (func $warn_string))
  (export "env.console.error" (func $warn_string))

  ;; Between zero and one.
  (func $fraction (result f64)
    (f64.mul (f64.convert_i64_u (i64.shr_u (call $random) (i64.const 11))) (f64.const 0x1p-53)))
  (export "env.seed" (func $fraction))
  (export "env.Math.random" (func $fraction))

  ;; Milliseconds.
  (func $milliseconds (result f64)
    (f64.convert_i64_u (i64.div_u (global.get $clock) (i64.const 1000000))))
  (export "env.Date.now" (func $milliseconds))
  (export "env.performance.now" (func $milliseconds))
)
