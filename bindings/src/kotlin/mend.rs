//! Mends what the generator of this UniFFI gets wrong for Kotlin.
//!
//! Each mend says what it expects to find and fails if that is not there, so that another version of the generator is noticed when
//! the package is built and not by a host.

use anyhow::{Context, ensure};

/// Mends the generated code.
pub(super) fn mend(generated: String) -> anyhow::Result<String> {
    let mut code = Code(generated);
    throwables(&mut code)?;
    callbacks(&mut code)?;
    library(&mut code)?;
    implementations(&mut code)?;
    constructors(&mut code)?;
    messages(&mut code)?;
    numbers(&mut code)?;
    values(&mut code)?;
    operations(&mut code)?;
    data_objects(&mut code)?;
    java(&mut code)?;
    insides(&mut code)?;
    Ok(code.0)
}

/// An `Error` that a host throws in a callback got lost, and Rust waited for the answer until its limit. The reason of a callback
/// without `suspend` was a stack trace; the message is enough for people.
fn throwables(code: &mut Code) -> anyhow::Result<()> {
    code.replace("catch(e: kotlin.Exception)", "catch(e: Throwable)", 4)?;
    code.replace("try { e.stackTraceToString() } catch(_: Throwable) { \"\" }", "e.toString()", 2)
}

/// A callback that was cancelled before its coroutine began never took the objects it was handed. Hosts block in callbacks, which
/// must not keep `Dispatchers.Default` from everybody else. And threads of Rust were attached to the JVM and detached for each
/// callback, and not as daemons, so that they kept a process from ending.
fn callbacks(code: &mut Code) -> anyhow::Result<()> {
    code.replace(
        "GlobalScope.launch coroutineBlock@",
        "GlobalScope.launch(kotlinx.coroutines.Dispatchers.IO, kotlinx.coroutines.CoroutineStart.ATOMIC) coroutineBlock@",
        2,
    )?;
    code.lines(1, |line| {
        let (_, kind) = line.trim_start().strip_prefix("internal object ")?.split_once(": Uniffi")?;
        let kind = kind.strip_suffix(" {")?;
        let is_callback = ["CallbackInterface", "RustFutureContinuationCallback", "ForeignFutureDroppedCallback"]
            .iter()
            .any(|prefix| kind.starts_with(prefix));
        is_callback.then(|| format!("{line}\n    init {{ keepThread(this) }}"))
    })
}

/// What is called without asking for it first was called unchecked.
fn library(code: &mut Code) -> anyhow::Result<()> {
    code.replace(
        "Native.register(UniffiLib::class.java, findLibraryName(componentName = \"seatport\"))",
        "register(UniffiLib::class.java, findLibraryName(componentName = \"seatport\")) { IntegrityCheckingUniffiLib.ensureInitialized() }",
        1,
    )?;
    // The last thing that UniffiLib does before its functions.
    code.replace(
        "        uniffiCallbackInterfaceVaultKeyProvider.register(this)\n",
        "        uniffiCallbackInterfaceVaultKeyProvider.register(this)\n        checkVersion()\n",
        1,
    )
}

/// A trait of the host with a function `close` could not be: its other side, of which a host sees nothing, had one of its own.
fn implementations(code: &mut Code) -> anyhow::Result<()> {
    let traits: Vec<String> = code
        .0
        .lines()
        .filter_map(|line| {
            Some(line.strip_prefix("open class ")?.split_once("Impl: Disposable, AutoCloseable, ")?.0.to_owned())
        })
        .collect();
    ensure!(!traits.is_empty(), "the generated code has no trait of the host: look at the mends");
    for name in traits {
        let head = format!("open class {name}Impl: Disposable, AutoCloseable, {name}\n{{\n");
        let (start, end) = code.block(&head, "\n}\n")?;
        let close = "    @Synchronized\n    override fun close() {\n        this.destroy()\n    }\n\n";
        let body = &code.0[start..end];
        ensure!(body.matches(close).count() == 1, "{name}Impl closes otherwise: look at the mends");
        let body = format!("internal open class {name}Impl: Disposable, {name}\n{{\n{}", body.replace(close, ""));
        code.0.replace_range(start - head.len()..end, &body);
    }
    Ok(())
}

/// What an asynchronous constructor answers kept the name that the class had before it got another one.
fn constructors(code: &mut Code) -> anyhow::Result<()> {
    code.replace("{ FfiConverterTypeSeatport.lift(it) }", "{ FfiConverterTypeNativeSeatport.lift(it) }", 1)?;
    code.replace(
        "suspend fun `open`(`options`: Options) : Seatport {",
        "suspend fun `open`(`options`: Options) : NativeSeatport {",
        1,
    )
}

/// The message of an exception was a list of its fields; the text for people is one of them.
fn messages(code: &mut Code) -> anyhow::Result<()> {
    code.lines(1, |line| {
        let (before, fields) = line.split_once("get() = \"")?;
        let text = ["detail", "problem"].into_iter().find(|text| fields.starts_with(&format!("{text}=${{")))?;
        Some(format!("{before}get() = `{text}`"))
    })
}

/// Unsigned numbers have no names that Java can say, and Kotlin itself wants signed ones wherever people count. The converters are
/// hand-written, and refuse what does not fit.
fn numbers(code: &mut Code) -> anyhow::Result<()> {
    for (unsigned, carrier, signed) in
        [("UByte", "Byte", "Int"), ("UShort", "Short", "Int"), ("UInt", "Int", "Int"), ("ULong", "Long", "Long")]
    {
        let converter = format!(
            "/**\n * @suppress\n */\npublic object FfiConverter{unsigned}: FfiConverter<{unsigned}, {carrier}> {{\n"
        );
        code.cut(&converter, "\n}\n")?;
        code.replace_all(&format!("kotlin.{unsigned}"), &format!("kotlin.{signed}"));
    }
    code.lines(1, |line| {
        let (before, number) = line.split_once(" = ")?;
        let declared =
            before.trim_start().starts_with("val `") && (before.ends_with(".Int") || before.ends_with(".Long"));
        let (digits, rest) = number.split_at(number.find('u')?);
        (declared && digits.bytes().all(|digit| digit.is_ascii_digit()))
            .then(|| format!("{before} = {digits}{}", rest.trim_start_matches(['u', 'L'])))
    })
}

/// Values that make no sense were refused with exceptions of others.
fn values(code: &mut Code) -> anyhow::Result<()> {
    code.replace(
        "throw IllegalArgumentException(\"Invalid duration, must be non-negative\")",
        "throw invalid(\"duration\", \"negative\", \"give zero or more\")",
        1,
    )?;
    code.replace(
        "            encode(CharBuffer.wrap(value))\n",
        "            encodeWhole(CharBuffer.wrap(value))\n",
        1,
    )?;
    // What is equal has the same hash. That of a secret is nobody's business.
    ensure!(
        !code.0.contains("The local Rust `Hash` implementation"),
        "a class has a hash of its own: look at the mends"
    );
    let equality = "    // The local Rust `Eq` implementation - only `eq` is used.\n";
    code.lines(1, |line| {
        (line == equality.trim_end())
            .then(|| format!("    override fun hashCode(): Int = javaClass.hashCode()\n\n{line}"))
    })
}

/// What the hand-written side has a better answer for leaves the interfaces that it takes the rest from.
fn operations(code: &mut Code) -> anyhow::Result<()> {
    for name in ["Seatport", "Desk"] {
        let head = format!("public interface Native{name}Interface {{\n");
        let (start, end) = code.block(&head, "\n}\n")?;
        let kept = without_native_answers(&code.0[start..end]);
        code.0.replace_range(start..end, &kept);
        code.replace_all(&format!("Native{name}Interface"), &format!("{name}Operations"));
    }
    code.lines(5, |line| {
        let native = line.contains("override suspend fun `") && line.contains(" : Native");
        native.then(|| line.replacen("override suspend fun", "suspend fun", 1))
    })
}

/// An interface without the functions that answer a native object, and without their docs.
fn without_native_answers(interface: &str) -> String {
    interface
        .split("\n    \n")
        .filter(|function| {
            !function.lines().any(|line| line.starts_with("    suspend fun ") && line.contains("): Native"))
        })
        .collect::<Vec<_>>()
        .join("\n    \n")
}

/// So that they have names when they are printed.
fn data_objects(code: &mut Code) -> anyhow::Result<()> {
    code.lines(1, |line| {
        let object = line.strip_prefix("    object ")?;
        Some(format!("    data object {object}"))
    })
}

/// What lambdas are for, and what Java cannot say otherwise: constructors that leave fields out, and functions of a class.
fn java(code: &mut Code) -> anyhow::Result<()> {
    for lambda in ["Clock", "LogSink", "Transport"] {
        code.replace(&format!("public interface {lambda} {{"), &format!("public fun interface {lambda} {{"), 1)?;
    }
    code.records(|record| record.contains(" = "), |name| format!("data class {name} @JvmOverloads constructor("))?;
    let mut in_companion = false;
    code.lines(1, |line| {
        in_companion = line == "    companion object {" || in_companion && !line.contains("object FfiConverter");
        let function = line.strip_prefix("    @Throws(SeatportException::class) fun `").filter(|_| in_companion)?;
        Some(format!("    @JvmStatic @Throws(SeatportException::class) fun `{function}"))
    })
}

/// What only generated code says to generated code is nobody else's.
fn insides(code: &mut Code) -> anyhow::Result<()> {
    code.lines(100, |line| {
        let line = line.strip_prefix("public ").unwrap_or(line);
        let hidden = [
            "object FfiConverter",
            "abstract class FfiConverter",
            "interface FfiConverter",
            "interface Native",
            "interface Probe",
            "open class Native",
            "open class Probe",
            "open class RustBuffer",
            "interface UniffiRustCallStatusErrorHandler",
            "object UniffiNullRustCallStatusErrorHandler",
            "interface UniffiCleaner",
            "object UniffiWithHandle",
            "object NoHandle",
            "fun uniffiEnsureInitialized",
            "fun uniffiForeignFutureHandleCount",
            "typealias FfiConverter",
            "inline fun <T : Disposable?, R> T.use",
        ];
        if hidden.iter().any(|start| line.starts_with(start)) {
            return Some(format!("internal {line}"));
        }
        let inside = line.strip_prefix("    ")?;
        if ["constructor(withHandle: UniffiWithHandle", "constructor(noHandle: NoHandle", "fun uniffiCloneHandle()"]
            .iter()
            .any(|start| inside.starts_with(start))
            || inside.starts_with("val uniffiIsDestroyed")
            || inside.starts_with("companion object ErrorHandler")
        {
            return Some(format!("    internal {inside}"));
        }
        let handle = inside.strip_prefix("protected val ")?;
        Some(format!("    internal val {handle}"))
    })
}

/// Generated code.
struct Code(String);

impl Code {
    /// Replaces what is there exactly so many times.
    fn replace(&mut self, from: &str, to: &str, times: usize) -> anyhow::Result<()> {
        let found = self.0.matches(from).count();
        ensure!(found == times, "the generated code says `{from}` {found} times instead of {times}: look at the mends");
        self.0 = self.0.replace(from, to);
        Ok(())
    }

    /// Replaces a word wherever it stands on its own.
    fn replace_all(&mut self, word: &str, with: &str) {
        let mut mended = String::with_capacity(self.0.len());
        let mut rest = self.0.as_str();
        while let Some(at) = rest.find(word) {
            let (before, after) = (&rest[..at], &rest[at + word.len()..]);
            let longer = after.starts_with(|next: char| next.is_alphanumeric());
            mended.push_str(before);
            mended.push_str(if longer { word } else { with });
            rest = after;
        }
        mended.push_str(rest);
        self.0 = mended;
    }

    /// Mends the lines for which there is a mend: at least so many.
    fn lines(&mut self, least: usize, mut mend: impl FnMut(&str) -> Option<String>) -> anyhow::Result<()> {
        let mut mended = 0;
        let lines: Vec<String> = self
            .0
            .lines()
            .map(|line| {
                let better = mend(line);
                mended += usize::from(better.is_some());
                better.unwrap_or_else(|| line.to_owned())
            })
            .collect();
        ensure!(
            mended >= least,
            "a mend found {mended} lines of the generated code instead of {least} or more: look at it"
        );
        self.0 = lines.join("\n") + "\n";
        Ok(())
    }

    /// Where the part is that begins so, without how it begins, and ends so.
    fn block(&self, head: &str, tail: &str) -> anyhow::Result<(usize, usize)> {
        let start =
            self.0.find(head).with_context(|| format!("the generated code has no `{head}`: look at the mends"))?;
        let start = start + head.len();
        let end = self.0[start..].find(tail).with_context(|| format!("`{head}` does not end: look at the mends"))?;
        Ok((start, start + end))
    }

    /// Takes a part out.
    fn cut(&mut self, head: &str, tail: &str) -> anyhow::Result<()> {
        let (start, end) = self.block(head, tail)?;
        self.0.replace_range(start - head.len()..end + tail.len(), "");
        Ok(())
    }

    /// Gives those records another head whose fields are such.
    fn records(&mut self, such: impl Fn(&str) -> bool, head: impl Fn(&str) -> String) -> anyhow::Result<()> {
        let mut mended = String::with_capacity(self.0.len());
        let mut rest = self.0.as_str();
        while let Some(at) = rest.find("\ndata class ") {
            let (before, record) = rest.split_at(at + 1);
            let (declared, fields) = record.split_once('(').context("a record without fields")?;
            let name = declared.trim_start_matches("data class ").trim();
            // Its fields end where a line begins with the parenthesis.
            let end = fields.find("\n)").with_context(|| format!("the record {name} does not end"))?;
            mended.push_str(before);
            if such(&fields[..end]) {
                mended.push_str(&head(name));
            } else {
                mended.push_str(declared);
                mended.push('(');
            }
            rest = fields;
        }
        mended.push_str(rest);
        self.0 = mended;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
