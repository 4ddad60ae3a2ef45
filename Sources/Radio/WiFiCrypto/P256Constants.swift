import COpenSSL

private func freeWorkspace(_ context: OpaquePointer?) {
    BN_CTX_end(context)
    BN_CTX_free(context)
}

/// Numbers of one computation: OpenSSL keeps them together, and overwrites them when they are freed.
///
/// A class, as is ``Montgomery``: where a value that can't be copied is borrowed for a call whose arguments may throw,
/// Swift 6.2 stops with an error of its own.
final class Workspace {
    private let handle: Handle

    init() throws(WiFiCryptoError) {
        handle = try Handle(BN_CTX_new(), freeWorkspace, "BN_CTX_new")
        BN_CTX_start(handle.pointer)
    }

    /// What OpenSSL's functions take from it for themselves.
    var context: OpaquePointer { handle.pointer }

    /// A new number, zero, with which OpenSSL is to compute in constant time.
    func number() throws(WiFiCryptoError) -> OpaquePointer {
        guard let number = BN_CTX_get(context) else {
            ERR_clear_error()
            throw WiFiCryptoError("BN_CTX_get")
        }
        BN_set_flags(number, BN_FLG_CONSTTIME)
        return number
    }

    /// A new number, made of its octets, the highest first.
    func number(_ octets: borrowing SecretBytes) throws(WiFiCryptoError) -> OpaquePointer {
        try number(octets.bytes)
    }

    /// A new number, made of its octets, the highest first.
    func number(_ octets: RawSpan) throws(WiFiCryptoError) -> OpaquePointer {
        let number = try number()
        let result = octets.withUnsafeBytes {
            BN_bin2bn($0.bindMemory(to: UInt8.self).baseAddress, Int32(clamping: $0.count), number)
        }
        try require(result == nil ? 0 : 1, "BN_bin2bn")
        return number
    }

    /// A new number that is small.
    func number(_ value: UInt) throws(WiFiCryptoError) -> OpaquePointer {
        let number = try number()
        try require(BN_set_word(number, value), "BN_set_word")
        return number
    }

    /// Numbers as one run of 32 octets each, the highest first.
    func octets(of first: OpaquePointer, _ second: OpaquePointer? = nil) throws(WiFiCryptoError) -> SecretBytes {
        let size = P256.octets
        return try SecretBytes(count: second == nil ? size : 2 * size) { memory throws(WiFiCryptoError) in
            let memory = memory.bindMemory(to: UInt8.self).baseAddress
            var written = BN_bn2binpad(first, memory, Int32(size))
            try require(written == Int32(size) ? 1 : 0, "BN_bn2binpad")
            guard let second else { return }
            written = BN_bn2binpad(second, memory?.advanced(by: size), Int32(size))
            try require(written == Int32(size) ? 1 : 0, "BN_bn2binpad")
        }
    }
}

/// Multiplication modulo an odd number in Montgomery's form. Nothing here branches on the numbers' values.
final class Montgomery: @unchecked Sendable {
    private let form: Handle

    init(modulus: borrowing Handle) throws(WiFiCryptoError) {
        let form = try Handle(BN_MONT_CTX_new(), BN_MONT_CTX_free, "BN_MONT_CTX_new")
        let space = try Workspace()
        try require(BN_MONT_CTX_set(form.pointer, modulus.pointer, space.context), "BN_MONT_CTX_set")
        self.form = form
    }

    /// A number's form.
    func enter(_ number: OpaquePointer, _ space: Workspace) throws(WiFiCryptoError) -> OpaquePointer {
        let result = try space.number()
        try require(BN_to_montgomery(result, number, form.pointer, space.context), "BN_to_montgomery")
        return result
    }

    /// The number of a form.
    func leave(_ number: OpaquePointer, _ space: Workspace) throws(WiFiCryptoError) -> OpaquePointer {
        let result = try space.number()
        try require(BN_from_montgomery(result, number, form.pointer, space.context), "BN_from_montgomery")
        return result
    }

    /// The product of two forms, as a form.
    func multiply(
        _ left: OpaquePointer, _ right: OpaquePointer, _ space: Workspace
    ) throws(WiFiCryptoError) -> OpaquePointer {
        let result = try space.number()
        try require(BN_mod_mul_montgomery(result, left, right, form.pointer, space.context), "BN_mod_mul_montgomery")
        return result
    }

    /// A power of a form, as a form.
    func power(
        _ base: OpaquePointer, _ exponent: borrowing Handle, modulus: borrowing Handle, _ space: Workspace
    ) throws(WiFiCryptoError) -> OpaquePointer {
        let result = try space.number()
        try require(
            BN_mod_exp_mont_consttime(
                result, try leave(base, space), exponent.pointer, modulus.pointer, space.context, form.pointer),
            "BN_mod_exp_mont_consttime")
        return try enter(result, space)
    }
}

extension P256 {
    /// What is always the same: the curve y² = x³ + ax + b, its prime and its order, and powers used for roots.
    struct Constants: ~Copyable, @unchecked Sendable {
        let group: Handle
        let prime: Handle
        let primeOctets: SecretBytes
        let order: Handle
        let field: Montgomery
        let scalars: Montgomery
        /// a and b, in Montgomery's form.
        let a: Handle
        let b: Handle
        /// (p − 1) / 2: this power of a number is 1 if and only if it is a square (Euler).
        let squarePower: Handle
        /// (p + 1) / 4: this power of a square is its root, since p is 3 modulo 4.
        let rootPower: Handle
        /// p − 2: this power of a number is its inverse (Fermat).
        let inversePower: Handle

        init() throws(WiFiCryptoError) {
            try prepareLibrary()
            let group = try Handle(
                EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), EC_GROUP_free, "EC_GROUP_new_by_curve_name")
            let prime = try makeNumber()
            let order = try makeNumber()
            let a = try makeNumber()
            let b = try makeNumber()
            let space = try Workspace()
            let plainA = try space.number()
            let plainB = try space.number()
            try require(
                EC_GROUP_get_curve(group.pointer, prime.pointer, plainA, plainB, space.context), "EC_GROUP_get_curve")
            try require(EC_GROUP_get_order(group.pointer, order.pointer, space.context), "EC_GROUP_get_order")
            let field = try Montgomery(modulus: prime)
            try copy(try field.enter(plainA, space), to: a)
            try copy(try field.enter(plainB, space), to: b)
            let squarePower = try makeNumber()
            try require(BN_rshift1(squarePower.pointer, prime.pointer), "BN_rshift1")
            let rootPower = try makeNumber()
            try require(BN_add(rootPower.pointer, prime.pointer, BN_value_one()), "BN_add")
            try require(BN_rshift(rootPower.pointer, rootPower.pointer, 2), "BN_rshift")
            let inversePower = try makeNumber()
            try copy(prime.pointer, to: inversePower)
            try require(BN_sub_word(inversePower.pointer, 2), "BN_sub_word")
            let scalars = try Montgomery(modulus: order)
            let primeOctets = try space.octets(of: prime.pointer)
            self.group = group
            self.prime = prime
            self.primeOctets = primeOctets
            self.order = order
            self.field = field
            self.scalars = scalars
            self.a = a
            self.b = b
            self.squarePower = squarePower
            self.rootPower = rootPower
            self.inversePower = inversePower
        }
    }
}

private func makeNumber() throws(WiFiCryptoError) -> Handle {
    try Handle(BN_new(), BN_clear_free, "BN_new")
}

private func copy(_ number: OpaquePointer, to other: borrowing Handle) throws(WiFiCryptoError) {
    try require(BN_copy(other.pointer, number) == nil ? 0 : 1, "BN_copy")
}

/// A point in OpenSSL's form.
struct LibraryPoint: ~Copyable {
    private let handle: Handle

    var pointer: OpaquePointer { handle.pointer }

    /// The point at infinity.
    init(_ constants: borrowing P256.Constants) throws(WiFiCryptoError) {
        handle = try Handle(EC_POINT_new(constants.group.pointer), EC_POINT_clear_free, "EC_POINT_new")
    }

    init(
        _ point: P256.Point, _ constants: borrowing P256.Constants, _ space: Workspace
    ) throws(WiFiCryptoError) {
        let handle = try Handle(EC_POINT_new(constants.group.pointer), EC_POINT_clear_free, "EC_POINT_new")
        try require(
            EC_POINT_set_affine_coordinates(
                constants.group.pointer, handle.pointer, try space.number(point.x),
                try space.number(point.y), space.context),
            "EC_POINT_set_affine_coordinates")
        self.handle = handle
    }

    /// The point's value; nil at infinity.
    func value(
        _ constants: borrowing P256.Constants, _ space: Workspace
    ) throws(WiFiCryptoError) -> P256.Point? {
        guard EC_POINT_is_at_infinity(constants.group.pointer, pointer) == 0 else { return nil }
        let x = try space.number()
        let y = try space.number()
        try require(
            EC_POINT_get_affine_coordinates(constants.group.pointer, pointer, x, y, space.context),
            "EC_POINT_get_affine_coordinates")
        return P256.Point(secret: try space.octets(of: x, y))
    }
}
