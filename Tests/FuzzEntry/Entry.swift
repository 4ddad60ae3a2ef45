import FuzzTargets
import Glibc

/// The target that `KIBITZ_FUZZ_TARGET` names.
private let target: FuzzTarget = {
    let name = getenv("KIBITZ_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
        // `scripts/fuzz` asks so which there are.
        for target in FuzzTarget.all { print(target.name, target.longest) }
        fflush(nil)
        // libFuzzer takes an ordinary exit for a crash.
        _exit(0)
    }
    atexit { print("fed \(FuzzTarget.fed) times") }
    return target
}()

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try target.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
    } catch {
        fatalError("\(target.name): \(error)")
    }
    return 0
}
