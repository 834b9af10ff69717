;; Stands in for the parts of `wasi:cli` that Rust's standard library imports and that are not in
;; the world `wasi:http/proxy`. There is no environment, no argument and no terminal behind it.
(component
  (core module $nothing
    (memory (export "memory") 1)
    ;; The address of an empty list, or of an option without a value: zeros.
    (func (export "none") (param) (result i32) (i32.const 0))
    (func (export "exit") (param i32) unreachable))
  (core instance $nothing (instantiate $nothing))
  (alias core export $nothing "memory" (core memory $memory))

  (func $variables (result (list (tuple string string)))
    (canon lift (core func $nothing "none") (memory $memory)))
  (func $arguments (result (list string)) (canon lift (core func $nothing "none") (memory $memory)))
  (func $directory (result (option string)) (canon lift (core func $nothing "none") (memory $memory)))
  (instance $environment
    (export "get-environment" (func $variables))
    (export "get-arguments" (func $arguments))
    (export "initial-cwd" (func $directory)))
  (export "wasi:cli/environment@0.2.0" (instance $environment))

  (func $leave (param "status" (result)) (canon lift (core func $nothing "exit")))
  (instance $exit (export "exit" (func $leave)))
  (export "wasi:cli/exit@0.2.0" (instance $exit))

  (type $terminal-input (resource (rep i32)))
  (instance $terminal-inputs (export "terminal-input" (type $terminal-input)))
  (export $inputs "wasi:cli/terminal-input@0.2.0" (instance $terminal-inputs))
  (alias export $inputs "terminal-input" (type $input))
  (func $get-input (result (option (own $input)))
    (canon lift (core func $nothing "none") (memory $memory)))
  (instance $stdin (export "terminal-input" (type $input)) (export "get-terminal-stdin" (func $get-input)))
  (export "wasi:cli/terminal-stdin@0.2.0" (instance $stdin))

  (type $terminal-output (resource (rep i32)))
  (instance $terminal-outputs (export "terminal-output" (type $terminal-output)))
  (export $outputs "wasi:cli/terminal-output@0.2.0" (instance $terminal-outputs))
  (alias export $outputs "terminal-output" (type $output))
  (func $get-output (result (option (own $output)))
    (canon lift (core func $nothing "none") (memory $memory)))
  (instance $stdout
    (export "terminal-output" (type $output))
    (export "get-terminal-stdout" (func $get-output)))
  (export "wasi:cli/terminal-stdout@0.2.0" (instance $stdout))
  (instance $stderr
    (export "terminal-output" (type $output))
    (export "get-terminal-stderr" (func $get-output)))
  (export "wasi:cli/terminal-stderr@0.2.0" (instance $stderr)))
