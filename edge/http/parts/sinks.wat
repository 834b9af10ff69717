;; What a connector imports of `elt:connector`. Log lines and progress go nowhere.
(component
  (core module $sinks
    (memory (export "memory") 1)
    ;; Nothing is kept, so every text is written to the same place. Grows the memory to its size.
    (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (local $missing i32)
      (local.set $missing
        (i32.sub
          (i32.add (i32.const 1) (i32.shr_u (i32.add (local.get $size) (i32.const 16)) (i32.const 16)))
          (memory.size)))
      (if (i32.gt_s (local.get $missing) (i32.const 0))
        (then
          (if (i32.eq (memory.grow (local.get $missing)) (i32.const -1)) (then unreachable))))
      (i32.const 16))
    (func (export "log") (param i32 i32 i32))
    (func (export "rate-limited") (param i64))
    (func (export "slices") (param i64 i32 i64)))
  (core instance $sinks (instantiate $sinks))
  (alias core export $sinks "memory" (core memory $memory))
  (alias core export $sinks "realloc" (core func $realloc))

  (type $level (enum "trace" "debug" "info" "warn" "error"))
  (func $log-line (param "level" $level) (param "message" string)
    (canon lift (core func $sinks "log") (memory $memory) (realloc $realloc)))
  (instance $log (export "level" (type $level)) (export "log" (func $log-line)))
  (export "elt:connector/log@0.3.0" (instance $log))

  (func $rate-limited (param "until" u64) (canon lift (core func $sinks "rate-limited")))
  (func $slices (param "done" u64) (param "total" (option u64))
    (canon lift (core func $sinks "slices")))
  (instance $progress
    (export "rate-limited" (func $rate-limited))
    (export "slices" (func $slices)))
  (export "elt:connector/progress@0.3.0" (instance $progress))

  (component $types
    (type $specification'
      (record
        (field "name" string)
        (field "version" string)
        (field "config-schema" string)
        (field "documentation-url" (option string))
        (field "allowed-hosts" (list string))))
    (export "specification" (type $specification'))
    (type $sync-mode' (enum "full-refresh" "incremental"))
    (export $sync-mode "sync-mode" (type $sync-mode'))
    (type $stream'
      (record
        (field "name" string)
        (field "json-schema" string)
        (field "supported-sync-modes" (list $sync-mode))
        (field "primary-key" (list (list string)))
        (field "cursor-field" (list string))
        (field "resumable" bool)
        (field "group" (option string))
        (field "selected-by-default" bool)
        (field "requests" (option string))))
    (export "stream" (type $stream'))
    (type $configured-stream' (record (field "name" string) (field "sync-mode" $sync-mode)))
    (export "configured-stream" (type $configured-stream'))
    (type $batch' (record (field "records" (list string)) (field "checkpoint" (option string))))
    (export "batch" (type $batch'))
    (type $failure-type' (enum "config" "transient" "system"))
    (export $failure-type "failure-type" (type $failure-type'))
    (type $error'
      (record
        (field "failure-type" $failure-type)
        (field "message" string)
        (field "internal-message" (option string))))
    (export "error" (type $error')))
  (instance $types (instantiate $types))
  (export "elt:connector/types@0.3.0" (instance $types)))
