# The BEAM's side of the bench: GenServer calls and casts, distribution between OS processes.
# Roles: MEASURE (local), MEASURE SERVER_NODE (remote), `server NAME`, `member NAME OTHER OTHER`.

defmodule Line do
  def say(json), do: IO.puts(:stdio, json)

  def each(answer) do
    case IO.gets("") do
      line when is_binary(line) ->
        [_, seconds] = Regex.run(~r/"seconds":([0-9.]+)/, line)
        say(answer.(elem(Float.parse(seconds), 0)))
        each(answer)

      _ ->
        System.halt(0)
    end
  end

  def halt_at_end do
    spawn(fn -> wait_for_end() end)
  end

  defp wait_for_end do
    case IO.gets("") do
      line when is_binary(line) -> wait_for_end()
      _ -> System.halt(0)
    end
  end
end

defmodule Counter do
  use GenServer
  def init(count), do: {:ok, count}
  def handle_call(:add, _from, count), do: {:reply, count + 1, count + 1}
  def handle_call(:count, _from, count), do: {:reply, count, count}
  def handle_call({:echo, text}, _from, count), do: {:reply, text, count}
  def handle_call(:cpu, _from, count), do: {:reply, Load.cpu_us(), count}
  def handle_cast({:note, text}, count) when byte_size(text) == 100, do: {:noreply, count + 1}
  def handle_cast(:add, count), do: {:noreply, count + 1}
end

defmodule Load do
  @burst 3_000

  # Processor time of all threads of this runtime, in µs.
  def cpu_us, do: elem(:erlang.statistics(:runtime), 0) * 1000

  def now_us, do: System.monotonic_time(:nanosecond) / 1000

  def rate(cpu, load) do
    cpu_before = cpu.()
    before = now_us()
    ops = load.()
    seconds = (now_us() - before) / 1_000_000
    answer(ops / seconds, ops, (cpu.() - cpu_before) / ops)
  end

  def answer(value, ops, cpu), do: ~s({"value":#{value},"ops":#{ops},"cpuUsPerOp":#{cpu}})

  def must_be_all(sent, sent), do: sent
  def must_be_all(sent, handled), do: raise("sent #{sent}, but #{handled} were handled")

  # As many callers as functions, each with one call at a time.
  def calls(callers, seconds, batch) do
    until = now_us() + seconds * 1_000_000

    callers
    |> Enum.map(fn call -> Task.async(fn -> call_loop(call, until, batch, 0) end) end)
    |> Task.await_many(:infinity)
    |> Enum.sum()
  end

  defp call_loop(call, until, batch, answered) do
    if now_us() < until do
      repeat(call, batch)
      call_loop(call, until, batch, answered + batch)
    else
      answered
    end
  end

  defp repeat(_call, 0), do: :ok

  defp repeat(call, left) do
    call.()
    repeat(call, left - 1)
  end

  # The answer to a burst's count is waited for after the next burst.
  def casts(server, message, seconds) do
    burst(server, message, now_us() + seconds * 1_000_000, nil, 0)
  end

  defp burst(server, message, until, previous, sent) do
    if now_us() < until do
      repeat(fn -> GenServer.cast(server, message) end, @burst)
      request = :gen_server.send_request(server, :count)
      wait(previous)
      burst(server, message, until, request, sent + @burst)
    else
      wait(previous)
      sent
    end
  end

  defp wait(nil), do: :ok
  defp wait(request), do: {:reply, _} = :gen_server.wait_response(request, :infinity)

  def times(call, until, before, times) do
    if before < until do
      call.()
      now = now_us()
      times(call, until, now, [now - before | times])
    else
      times
    end
  end

  def median(times) do
    sorted = times |> Enum.sort() |> List.to_tuple()
    elem(sorted, div(tuple_size(sorted), 2))
  end
end

defmodule Local do
  def run(measure) do
    length = if measure == "local-call-100", do: 100, else: 1
    counters = for _ <- 1..length, do: elem(GenServer.start_link(Counter, 0), 1)
    handled = fn -> counters |> Enum.map(&GenServer.call(&1, :count)) |> Enum.sum() end

    load =
      if measure == "local-cast" do
        fn seconds -> Load.casts(hd(counters), :add, seconds) end
      else
        callers = for counter <- counters, do: fn -> GenServer.call(counter, :add) end
        fn seconds -> Load.calls(callers, seconds, 64) end
      end

    Line.each(fn seconds ->
      Load.rate(&Load.cpu_us/0, fn ->
        before = handled.()
        sent = load.(seconds)
        Load.must_be_all(sent, handled.() - before)
      end)
    end)
  end
end

defmodule Remote do
  @text String.duplicate("x", 100)

  def run(measure, node) do
    echo = {:echo, node}
    call = fn -> GenServer.call(echo, {:echo, @text}) end
    @text = call.()
    cpu = fn -> Load.cpu_us() + GenServer.call(echo, :cpu) end
    Line.each(fn seconds -> round(measure, seconds, {echo, call, cpu}) end)
  end

  defp round("remote-call-1", seconds, {_echo, call, cpu}) do
    cpu_before = cpu.()
    now = Load.now_us()
    times = Load.times(call, now + seconds * 1_000_000, now, [])
    ops = length(times)
    Load.answer(Load.median(times), ops, (cpu.() - cpu_before) / ops)
  end

  defp round("remote-call-64", seconds, {_echo, call, cpu}) do
    Load.rate(cpu, fn -> Load.calls(List.duplicate(call, 64), seconds, 8) end)
  end

  defp round("remote-oneway-100b", seconds, {echo, _call, cpu}) do
    Load.rate(cpu, fn ->
      before = GenServer.call(echo, :count)
      sent = Load.casts(echo, {:note, @text}, seconds)
      Load.must_be_all(sent, GenServer.call(echo, :count) - before)
    end)
  end
end

defmodule Member do
  # µs of the machine's monotonic clock, which other programs read alike.
  defp now_us, do: :os.perf_counter(:microsecond)

  def run(name, others) do
    Line.say(~s({"loaded":true}))
    IO.gets("")
    Line.say(~s({"startedAtUs":#{now_us()}}))
    {:ok, _} = :net_kernel.start([name, :shortnames])
    :net_kernel.monitor_nodes(true)
    Line.halt_at_end()
    watch(others, false)
  end

  # The BEAM has no discovery: until it has found all, a member tries the names it was given.
  defp watch(others, formed) do
    unless formed, do: Enum.each(others -- Node.list(), &Node.connect/1)

    receive do
      {change, _node} when change in [:nodeup, :nodedown] ->
        members = length(Node.list()) + 1
        Line.say(~s({"members":#{members},"atUs":#{now_us()}}))
        watch(others, formed or members == length(others) + 1)
    after
      if(formed, do: :infinity, else: 10) -> watch(others, formed)
    end
  end
end

defmodule Main do
  def run(["server", name]) do
    {:ok, _} = :net_kernel.start([String.to_atom(name), :shortnames])
    {:ok, _} = GenServer.start_link(Counter, 0, name: :echo)
    Line.halt_at_end()
    Line.say(~s({"ready":true}))
    Process.sleep(:infinity)
  end

  def run(["member", name | others]) do
    Member.run(String.to_atom(name), Enum.map(others, &String.to_atom/1))
  end

  def run([measure, name, server]) do
    {:ok, _} = :net_kernel.start([String.to_atom(name), :shortnames])
    true = Node.connect(String.to_atom(server))
    Line.say(~s({"ready":true}))
    Remote.run(measure, String.to_atom(server))
  end

  def run([measure]) do
    Line.say(~s({"ready":true}))
    Local.run(measure)
  end
end

Main.run(System.argv())
