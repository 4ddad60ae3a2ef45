import COpenSSL

/// OpenSSL failed through no fault of a peer's: there is no memory, or the library lacks what is needed.
///
/// Whatever a peer sends makes a function here answer nil or false, never throw.
public struct WiFiCryptoError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The name of the function that failed.
    public var function: String

    /// Makes an error.
    init(_ function: String) {
        self.function = function
    }

    /// What happened, in words.
    public var description: String { "OpenSSL's \(function) failed" }
}

/// Throws unless a function of OpenSSL answered 1, its sign of success.
func require(_ result: Int32, _ function: String) throws(WiFiCryptoError) {
    guard result != 1 else { return }
    ERR_clear_error()
    throw WiFiCryptoError(function)
}

/// An object of OpenSSL's, freed with this value.
struct Handle: ~Copyable {
    typealias Free = @convention(c) (OpaquePointer?) -> Void

    let pointer: OpaquePointer
    private let free: Free

    /// Takes what the function of this name answered.
    init(_ pointer: OpaquePointer?, _ free: Free, _ function: String) throws(WiFiCryptoError) {
        guard let pointer else {
            ERR_clear_error()
            throw WiFiCryptoError(function)
        }
        self.pointer = pointer
        self.free = free
    }

    deinit { free(pointer) }
}

/// Makes the library ready without its configuration file, which could add providers and engines. After the first time
/// this does nothing.
func prepareLibrary() throws(WiFiCryptoError) {
    try require(COpenSSL_init(), "OPENSSL_init_ssl")
}
