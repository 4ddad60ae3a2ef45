/// A queue of plain values in memory that is used again and again; grows by doubling.
///
/// `Array` has no cheap removal at the front, which is where everything here leaves.
struct Ring<Element: BitwiseCopyable & Sendable>: Sendable {
    /// Empty, or a power of two in length; the slots outside the queue hold leftovers.
    private var slots: [Element] = []
    private var head = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }
    /// Octets of memory held.
    var footprint: Int { slots.capacity * MemoryLayout<Element>.stride }

    subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count)
            return slots[(head &+ index) & (slots.count &- 1)]
        }
        set {
            precondition(index >= 0 && index < count)
            slots[(head &+ index) & (slots.count &- 1)] = newValue
        }
        _modify {
            precondition(index >= 0 && index < count)
            yield &slots[(head &+ index) & (slots.count &- 1)]
        }
    }

    var first: Element? { isEmpty ? nil : self[0] }
    var last: Element? { isEmpty ? nil : self[count - 1] }

    mutating func append(_ element: Element) {
        if count == slots.count { grow(filling: element) }
        slots[(head &+ count) & (slots.count &- 1)] = element
        count &+= 1
    }

    /// Removes elements at the front; no more than there are.
    mutating func removeFirst(_ number: Int = 1) {
        let number = min(max(0, number), count)
        head = slots.isEmpty ? 0 : (head &+ number) & (slots.count &- 1)
        count &-= number
    }

    /// Removes all elements and keeps the memory.
    mutating func removeAll() {
        head = 0
        count = 0
    }

    /// Gives the memory back if nothing is in it.
    mutating func releaseIfEmpty() {
        if isEmpty {
            slots = []
            head = 0
        }
    }

    private mutating func grow(filling element: Element) {
        var larger: [Element] = []
        let capacity = max(4, slots.count * 2)
        larger.reserveCapacity(capacity)
        larger.append(contentsOf: slots[head...])
        larger.append(contentsOf: slots[..<head])
        larger.append(contentsOf: repeatElement(element, count: capacity - larger.count))
        slots = larger
        head = 0
    }
}
