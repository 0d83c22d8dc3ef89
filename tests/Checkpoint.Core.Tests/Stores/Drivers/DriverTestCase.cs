using System.ComponentModel;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Checkpoint.Tests;

public sealed class DriverTestCase : XunitTestCase
{
    [EditorBrowsable(EditorBrowsableState.Never)]
    [Obsolete("Called by xunit alone.")]
    public DriverTestCase()
    {
    }

    public DriverTestCase(IMessageSink messages, TestMethodDisplay display, TestMethodDisplayOptions options, ITestMethod method)
        : base(messages, display, options, method)
    {
    }

    protected override string? GetSkipReason(IAttributeInfo factAttribute)
    {
        var need = TestMethod.TestClass.Class.GetCustomAttributes(typeof(StoreNeedAttribute)).FirstOrDefault();
        return base.GetSkipReason(factAttribute) ?? (need is ReflectionAttributeInfo { Attribute: StoreNeedAttribute known } ? known.Missing : null);
    }
}
