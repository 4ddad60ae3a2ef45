import Glibc
import Logging
import NIOCore
import Synchronization
import Wire

/// How an interface is shut off from everything but the box's public ports, and stays so.
extension AccessNetwork {
    /// Chooses the addresses, and puts firewall and settings in place. What an earlier call did is replaced without a moment
    /// in between, and stays when this one fails.
    /// - Parameter mayBeFresh: what ``prepare(interface:ports:)`` set a moment ago need not be set again.
    func close(_ interface: String, _ ports: Ports, mayBeFresh: Bool = false) async throws(Trouble) -> Closed {
        let used = MachineAddresses.current().networks(besides: interface)
        let present = closed.withLock { $0 }
        let index = if_nametoindex(interface)
        var next: Closed
        if let present, present.place.interface == interface,
            Subnet(containing: present.place.address)?.isUsed(in: used) == false
        {
            next = present
            // Where the name is gone, the interface may go on by another.
            if index != 0 { next.index = index }
            next.isFresh = mayBeFresh && present.isFresh && present.ports == ports && present.index == next.index
            next.ports = ports
        } else {
            let (subnet, warning) = try chooseSubnet(used)
            let place = Place(
                interface: interface, subnet: subnet, prefix: InterfaceSettings.hasIPv6 ? try prefix() : nil)
            next = Closed(
                place: place, index: index, ports: ports, settings: InterfaceSettings(), warning: warning)
        }
        if next.isFresh {
            next.isFresh = false
        } else {
            if let trouble = await next.firewall.apply() { throw Trouble(trouble) }
            next.rules = nil
            next.generation = nil
        }
        if var present {
            if present.place.interface == interface || index != 0 && present.index == index {
                next.settings = present.settings
            } else {
                present.settings.restore(on: present.interface)
                removeAddresses(present)
            }
        }
        let trouble = next.settings.apply(to: interface).trouble
        closed.withLock { [next] in $0 = next }
        watch()
        if let trouble { throw Trouble(trouble) }
        return next
    }

    /// Undoes what ``close(_:_:)`` and what followed did. The rules are taken away even where none are known: an attempt that
    /// failed may have left them.
    func open() async {
        watching.withLock { $0.take() }?.cancel()
        if var former = closed.withLock({ $0.take() }) {
            removeAddresses(former)
            former.settings.restore(on: former.interface)
        }
        await Firewall.remove()
    }

    /// Looks after the firewall and the interface, at once when they are changed, and after what nobody tells of, until
    /// ``open()``.
    func watch() {
        watching.withLock { watching in
            guard watching == nil else { return }
            let hints = hints(on: eventLoop())
            watching = Task {
                for await _ in hints {
                    let wish = self.shown.withLock { $0.wish }
                    await self.turns.take {
                        await self.leaveInterface(wish)
                        self.mendSettings()
                        self.mendIPv6(MachineAddresses.current())
                        await self.mendFirewall(wish)
                    }
                    // The box's own changes are hints, too.
                    try? await Task.sleep(for: Self.lookInterval)
                }
            }
        }
    }

    /// Sets the interface's settings anew where another program changed them.
    func mendSettings() {
        func mend(_ closed: inout Closed?) -> Bool {
            guard let interface = closed?.interface else { return false }
            return closed?.settings.apply(to: interface).isMended == true
        }
        let isMended = running.withLock { running in
            var closed = running?.closed
            defer { closed.map { running?.closed = $0 } }
            return mend(&closed)
        }
        if isMended || closed.withLock({ mend(&$0) }) {
            logger.notice("another program changed what the kernel does on the Wi-Fi's interface; it is put back")
        }
    }

    /// Ends the network where somebody made the interface a bridge's port, until it is none any more, and where it is gone:
    /// one that was plugged in again is another one to the kernel, with the same name.
    private func leaveInterface(_ before: Int) async {
        guard let present = running.withLock({ $0?.closed }),
            present.isGone || InterfaceSettings.isPort(present.interface), let wish = newWish(after: before)
        else { return }
        await down(opens: false)
        await attempt(present.place.interface, present.ports, wish)
    }

    /// Notes how the rules are.
    /// - Parameter generation: of which they are, or of an earlier one.
    func remember(_ rules: [UInt8]?, _ generation: UInt32?) {
        func note(_ closed: inout Closed?) {
            closed?.rules = rules
            closed?.generation = rules == nil ? nil : generation
        }
        running.withLock { running in
            var closed = running?.closed
            note(&closed)
            closed.map { running?.closed = $0 }
        }
        closed.withLock { note(&$0) }
    }

    /// Puts the firewall back if somebody took it away, with `nft flush ruleset` for example, or changed it. Where that fails
    /// the network ends, and is tried again as at a start.
    func mendFirewall(_ before: Int) async {
        let isRunning = running.withLock { $0 != nil }
        guard let present = running.withLock({ $0?.closed }) ?? closed.withLock({ $0 }) else { return }
        var generation = Firewall.generation()
        if generation != nil, generation == present.generation { return }
        let found = await Firewall.listing()
        // Where it can't be found out they are not as they were.
        if let found, present.rules == nil || found == present.rules {
            // Something else was changed.
            if present.rules != nil { remember(found, generation) }
            return
        }
        // A rule names its interface as it is called now.
        if if_nametoindex(present.place.interface) == present.index {
            logger.notice("another program changed the firewall of the Wi-Fi, or took it away; it is put back")
        }
        guard let trouble = await present.firewall.apply() else {
            // The same as before is how another nft writes them. Anything else is one more change, which the look after this
            // one finds: it is not what the rules shall be.
            generation = Firewall.generation()
            if let rules = await Firewall.listing(), present.rules == nil || rules == found {
                remember(rules, generation)
            }
            return
        }
        guard isRunning else { return tell(Trouble(trouble)) }
        guard let wish = newWish(after: before) else { return }
        await down(opens: false)
        await attempt(present.place.interface, present.ports, wish)
    }
}

extension AccessNetwork.Closed {
    /// Its firewall.
    var firewall: Firewall { Firewall(place: place, index: index, ports: ports) }

    /// What its interface is called now: somebody may have renamed it.
    var interface: String { present ?? place.interface }

    /// Whether its interface is there no more, by whatever name.
    var isGone: Bool { index != 0 && present == nil }

    private var present: String? {
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        guard index != 0, if_indextoname(index, &name) != nil else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
