use super::*;

fn mended(code: &str, mend: impl Fn(&mut Code) -> anyhow::Result<()>) -> String {
    let mut code = Code(code.to_owned());
    mend(&mut code).unwrap();
    code.0
}

#[test]
fn another_generator_is_noticed() {
    for nothing in ["", "package dev.seatport\n"] {
        let error = mend(nothing.to_owned()).unwrap_err();
        assert!(error.to_string().contains("look at the mends"), "{error}");
    }
    let mut code = Code("catch(e: kotlin.Exception)".to_owned());
    let error = throwables(&mut code).unwrap_err();
    assert!(error.to_string().contains("1 times instead of 4"), "{error}");
}

#[test]
fn the_message_is_the_text_for_people() {
    let code = "        override val message\n            get() = \"detail=${ `detail` }, session=${ `session` }\"\n";
    assert_eq!(mended(code, messages), "        override val message\n            get() = `detail`\n");
    let code = "            get() = \"problem=${ `problem` }\"\n            get() = \"reason=${ `reason` }\"\n";
    assert_eq!(mended(code, messages), "            get() = `problem`\n            get() = \"reason=${ `reason` }\"\n");
}

#[test]
fn numbers_lose_their_signs_where_people_see_them_and_nowhere_else() {
    let converters: String = [("UByte", "Byte"), ("UShort", "Short"), ("UInt", "Int"), ("ULong", "Long")]
        .map(|(unsigned, carrier)| {
            format!("/**\n * @suppress\n */\npublic object FfiConverter{unsigned}: FfiConverter<{unsigned}, {carrier}> {{\n    x\n}}\n")
        })
        .concat();
    let code =
        "    val `limit`: kotlin.UInt = 10u , \n    val `seq`: kotlin.ULong = 0uL\n    allocationSize(value) = 4UL\n";
    let expected =
        "    val `limit`: kotlin.Int = 10 , \n    val `seq`: kotlin.Long = 0\n    allocationSize(value) = 4UL\n";
    assert_eq!(mended(&(converters + code), numbers), expected);
}

#[test]
fn only_what_answers_native_objects_leaves_the_interface() {
    let interface = "    \n    /**\n     * Reads.\n     */\n    suspend fun `card`(`session`: kotlin.String): Card\n    \n    /**\n     \
                     * Opens.\n     */\n    suspend fun `watch`(`session`: kotlin.String): NativeWatch\n    \n    companion object";
    let kept = without_native_answers(interface);
    assert!(kept.contains("`card`") && kept.contains("Reads.") && kept.contains("companion object"));
    assert!(!kept.contains("`watch`") && !kept.contains("Opens."), "{kept}");
}

#[test]
fn callbacks_keep_their_threads() {
    let launch = "GlobalScope.launch coroutineBlock@ {\n";
    let code = format!(
        "{launch}{launch}    internal object `now`: UniffiCallbackInterfaceClockMethod0 {{\n    internal object other {{\n"
    );
    let code = mended(&code, callbacks);
    assert_eq!(code.matches("CoroutineStart.ATOMIC").count(), 2);
    assert!(code.contains("UniffiCallbackInterfaceClockMethod0 {\n    init { keepThread(this) }\n"), "{code}");
    assert!(code.ends_with("    internal object other {\n"));
}

#[test]
fn java_gets_constructors_that_leave_fields_out_and_functions_of_classes() {
    let traits = "public interface Clock {\npublic interface LogSink {\npublic interface Transport {\n";
    let records = "\ndata class Page (\n    val `a`: A\n)\n{\n}\n\ndata class Filter (\n    val `a`: A? = null\n)\n";
    let function = |name: &str| format!("    @Throws(SeatportException::class) fun `{name}`(): X {{\n}}\n");
    let class =
        format!("    companion object {{\n{}{}public object FfiConverterTypeX: Y {{\n", function("of"), function("or"));
    let code = mended(&format!("{traits}{records}{class}{}", function("free")), java);
    assert_eq!(code.matches("public fun interface").count(), 3);
    assert!(
        code.contains("data class Page (\n") && code.contains("data class Filter @JvmOverloads constructor(\n"),
        "{code}"
    );
    assert_eq!(code.matches("@JvmStatic").count(), 2);
    assert!(code.contains("    @Throws(SeatportException::class) fun `free`"), "{code}");
}

#[test]
fn words_are_replaced_and_not_parts_of_them() {
    let mut code = Code("kotlin.UInt, kotlin.UIntArray".to_owned());
    code.replace_all("kotlin.UInt", "kotlin.Int");
    assert_eq!(code.0, "kotlin.Int, kotlin.UIntArray");
}
