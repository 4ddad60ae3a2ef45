import COpenSSL

/// An object of OpenSSL's, freed with this value.
///
/// It may pass to another thread as any unique owner may. Those that threads share (certificate, key, context, algorithms)
/// are only read once they are made, and OpenSSL counts their references atomically.
struct Handle: ~Copyable, @unchecked Sendable {
    typealias Free = @convention(c) (OpaquePointer?) -> Void

    let pointer: OpaquePointer
    private let free: Free

    /// Takes what a function of OpenSSL answered.
    /// - Throws: `error` when it answered nothing.
    init(_ pointer: OpaquePointer?, _ free: Free, orThrow error: DTLSError) throws(DTLSError) {
        guard let pointer else {
            ERR_clear_error()
            throw error
        }
        self.pointer = pointer
        self.free = free
    }

    /// Takes what the function of this name answered.
    init(_ pointer: OpaquePointer?, _ free: Free, _ name: String) throws(DTLSError) {
        try self.init(pointer, free, orThrow: .libraryFailed(name))
    }

    deinit { free(pointer) }
}

/// Throws unless a function of OpenSSL answered 1, its sign of success.
func require(_ result: Int32, _ name: String) throws(DTLSError) {
    guard result != 1 else { return }
    ERR_clear_error()
    throw .libraryFailed(name)
}
