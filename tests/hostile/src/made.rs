//! Guests that are too long for text, or no component at all: bombs, and what is left of components that were damaged. Each is
//! the same every time.

use wasm_encoder::{
    BlockType, CodeSection, Encode, Function, FunctionSection, Instruction, MemArg, MemorySection, MemoryType, Module,
    TypeSection, ValType,
};

use crate::harness::{Parts, assemble, policy};

/// What makes a component, or why it cannot.
type Make = fn() -> Result<Vec<u8>, String>;

/// A guest that is made.
pub(crate) struct Made {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) make: Make,
}

/// All of them.
pub(crate) const MADE: &[Made] = &[
    made("instances-too-many", "More core instances than there may be.", instances),
    made("component-too-large", "Longer than a component may be.", || tail(&custom_section(200_000))),
    made("nesting-bomb", "Components within components.", nested),
    made("parts-bomb", "Hundreds of modules.", || assemble(&format!("(component {})", "(core module)".repeat(600)))),
    made("imports-bomb", "Hundreds of imports, a few at a time.", imports),
    made("items-bomb", "Says that it has millions of functions.", items),
    made("function-bytes-bomb", "One function of a megabyte and a half.", || tail(&module(&stores(100_000)))),
    made("function-locals-bomb", "One function of ten thousand and one variables.", || tail(&module(&locals(10_001)))),
    made("type-nesting-bomb", "Lists of lists, hundreds deep.", nested_types),
    made("compile-bomb-of-time", "Small, and compiled for minutes.", || tail(&module(&tangle()))),
    made("compile-bomb-by-the-clock", "The same, measured by the clock.", || tail(&module(&tangle()))),
    made("compile-bomb-of-memory", "Small, and compiled with gigabytes.", || tail(&module(&stores(60_000)))),
    made("compile-bomb-of-code", "Small, and its native code is not.", || tail(&module(&stores(10_000)))),
    made("import-of-a-long-name", "Wants something whose name has fifty thousand letters.", || {
        assemble(&format!("(component (import \"a:b/{}\" (instance)))", "c".repeat(50_000)))
    }),
    made("text-instead-of-a-binary", "Text that nobody assembled.", || Ok(b"  (component)".to_vec())),
    made("empty", "No byte at all.", || Ok(Vec::new())),
    made("program-of-the-machine", "A program of the machine itself.", || Ok(b"\x7fELF\x02\x01\x01\0\0".to_vec())),
    made("layer-of-another-kind", "Neither a module nor a component.", || Ok(b"\0asm\x01\0\x07\0".to_vec())),
    made("truncated-at-its-header", "Ends after nine bytes.", || cut(|_| 9)),
    made("truncated-half-way", "Ends half-way.", || cut(|len| len / 2)),
    made("truncated-by-a-byte", "Lacks its last byte.", || cut(|len| len.saturating_sub(1))),
    made("mutated-length", "A section that is longer than everything.", || tail(b"\x00\xff\xff\xff\xff\x0f")),
    made("mutated-opcode", "A function of instructions that do not exist.", || tail(&module(&nonsense()))),
    made("mutated-end", "Goes on with noise where it should end.", || tail(&[0xaa; 64])),
    made("trap-in-a-function-of-a-long-name", "Traps in a function whose name has fifty thousand letters.", || {
        let name = "a\u{1b}[2J".repeat(10_000);
        let traps = "(func (export \"review\") (param i32) (result i32) (call $long) (unreachable))";
        let fields = format!("(func $long (@name \"{}\") (unreachable)) {traps}", name.escape_default());
        policy(Parts { fields: &fields, ..Parts::default() })
    }),
];

const fn made(name: &'static str, about: &'static str, make: Make) -> Made {
    Made { name, about, make }
}

/// The honest policy with these bytes behind it.
fn tail(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut component = policy(Parts::default())?;
    component.extend_from_slice(bytes);
    Ok(component)
}

/// The beginning of the honest policy; `keep` says how much of so many bytes.
fn cut(keep: impl Fn(usize) -> usize) -> Result<Vec<u8>, String> {
    let mut component = policy(Parts::default())?;
    component.truncate(keep(component.len()));
    Ok(component)
}

/// The honest policy with this beside its module.
fn beside(beside: &str) -> Result<Vec<u8>, String> {
    policy(Parts { beside, ..Parts::default() })
}

fn instances() -> Result<Vec<u8>, String> {
    beside(&format!("(core module $m) {}", "(core instance (instantiate $m))".repeat(70)))
}

fn nested() -> Result<Vec<u8>, String> {
    assemble(&(0..20).fold("(component)".to_owned(), |inner, _| format!("(component {inner})")))
}

fn nested_types() -> Result<Vec<u8>, String> {
    let lists: String = (1..400).map(|at| format!("(type $t{at} (list $t{}))", at - 1)).collect();
    beside(&format!("(type $t0 (list u8)) {lists}"))
}

/// Imports of which no section has many: types stand between them.
fn imports() -> Result<Vec<u8>, String> {
    let imports: String =
        (0..300).map(|at| format!("(import \"wasi:cli/i{at}@0.2.0\" (instance)) (type u8)")).collect();
    assemble(&format!("(component {imports})"))
}

/// The header of a section of functions, of which there is none.
fn items() -> Result<Vec<u8>, String> {
    let mut count = Vec::new();
    5_000_000_u32.encode(&mut count);
    let mut module = Module::HEADER.to_vec();
    module.extend(section(3, &count));
    tail(&section(1, &module))
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![id];
    content.encode(&mut bytes);
    bytes
}

fn custom_section(len: usize) -> Vec<u8> {
    // Its name is empty.
    section(0, &vec![0; len])
}

/// The section of a component that holds a module of this one function.
fn module(function: &Function) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut code = CodeSection::new();
    code.function(function);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&memories).section(&code);
    section(1, &module.finish())
}

fn locals(count: u32) -> Function {
    let mut function = Function::new([(count, ValType::I64)]);
    function.instruction(&Instruction::End);
    function
}

fn nonsense() -> Function {
    let mut function = Function::new([]);
    function.raw([0xff, 0x0b]);
    function
}

/// Statements that each have an effect, so that no compiler can leave one out.
fn stores(count: usize) -> Function {
    let mut function = Function::new([]);
    let at = MemArg { offset: 0, align: 3, memory_index: 0 };
    for _ in 0..count {
        for instruction in [
            Instruction::I32Const(8),
            Instruction::I32Const(16),
            Instruction::I64Load(at),
            Instruction::I32Const(24),
            Instruction::I64Load(at),
            Instruction::I64Add,
            Instruction::I64Store(at),
        ] {
            function.instruction(&instruction);
        }
    }
    function.instruction(&Instruction::End);
    function
}

/// Loops whose variables all live everywhere: the time to give them registers grows with the square of its length.
fn tangle() -> Function {
    const LOCALS: u32 = 2_000;
    const LOOPS: u32 = 3_000;
    let mut function = Function::new([(LOCALS, ValType::I64)]);
    function.instruction(&Instruction::Loop(BlockType::Empty));
    for number in 0..LOOPS {
        let (one, other) = (number % LOCALS, (number * 7 + 1) % LOCALS);
        for instruction in [
            Instruction::Loop(BlockType::Empty),
            Instruction::LocalGet(other),
            Instruction::LocalGet(one),
            Instruction::I64Add,
            Instruction::LocalSet(one),
            Instruction::LocalGet(one),
            Instruction::I64Eqz,
            Instruction::BrIf(0),
            Instruction::End,
        ] {
            function.instruction(&instruction);
        }
    }
    function.instruction(&Instruction::Br(0)).instruction(&Instruction::End).instruction(&Instruction::End);
    function
}
