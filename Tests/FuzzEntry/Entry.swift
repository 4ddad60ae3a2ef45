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

/// OpenSSL's PBKDF2.
private typealias PBKDF2 =
    @convention(c) (
        UnsafePointer<CChar>?, CInt, UnsafePointer<UInt8>?, CInt, CInt, OpaquePointer?, CInt,
        UnsafeMutablePointer<UInt8>?
    ) -> CInt

/// What was asked of it before, and the answers.
private struct Derived {
    let password: [CChar]
    let salt: [UInt8]
    let rounds: CInt
    let digest: OpaquePointer?
    let key: [UInt8]
}

private nonisolated(unsafe) var derived: [Derived] = []

/// Stands in front of OpenSSL's function of this name, which takes as long as hundreds of frames: the inputs have few
/// passphrases and names between them, and each pair is computed once.
@_cdecl("PKCS5_PBKDF2_HMAC")
public func deriveOnce(
    _ password: UnsafePointer<CChar>?, _ passwordCount: CInt, _ salt: UnsafePointer<UInt8>?, _ saltCount: CInt,
    _ rounds: CInt, _ digest: OpaquePointer?, _ count: CInt, _ output: UnsafeMutablePointer<UInt8>?
) -> CInt {
    let asked = Array(UnsafeBufferPointer(start: password, count: Int(passwordCount)))
    let salted = Array(UnsafeBufferPointer(start: salt, count: Int(saltCount)))
    if let known = derived.first(where: {
        $0.password == asked && $0.salt == salted && $0.rounds == rounds && $0.digest == digest
            && $0.key.count == Int(count)
    }) {
        output?.update(from: known.key, count: known.key.count)
        return 1
    }
    // RTLD_NEXT
    let next = dlsym(UnsafeMutableRawPointer(bitPattern: -1), "PKCS5_PBKDF2_HMAC")
    guard let next else { return 0 }
    let result = unsafeBitCast(next, to: PBKDF2.self)(
        password, passwordCount, salt, saltCount, rounds, digest, count, output)
    if result == 1, derived.count < 64 {
        let key = Array(UnsafeBufferPointer(start: output, count: Int(count)))
        derived.append(Derived(password: asked, salt: salted, rounds: rounds, digest: digest, key: key))
    }
    return result
}
